import type { EpochMs } from "@/server/domain/terms";
import type { EnrichedMessage, WrittenSamples } from "@/server/ports/commit-batch";

/** What became of one reading of a message. */
export interface Outcome {
  readonly message: EnrichedMessage;
  readonly became: "new" | "repeat" | "conflict";
}

/**
 * Tells what became of each reading of these messages. A new reading belongs to the first message in the log that has it, whoever sent it: so all
 * messages of a device have to be among them, in the log's order.
 */
export function* outcomesOf(
  messages: readonly EnrichedMessage[],
  { added, conflicts }: Pick<WrittenSamples, "added" | "conflicts">,
): Generator<Outcome> {
  const keyOf = (deviceId: number, time: EpochMs, metric: number) => `${deviceId} ${time} ${metric}`;
  const open = new Set(added.flatMap(({ deviceId, time, metrics }) => metrics.map((id) => keyOf(deviceId, time, id))));
  const other = new Set(
    conflicts.map(({ deviceId, time, metric, refused }) => `${keyOf(deviceId, time, metric)} ${refused}`),
  );
  for (const message of messages) {
    for (const { metrics, values } of message.again ? [message, message.again] : [message]) {
      for (const [i, metric] of metrics.entries()) {
        const key = keyOf(message.deviceId, message.message.eventTime, metric);
        const became = open.delete(key) ? "new" : other.has(`${key} ${values[i]}`) ? "conflict" : "repeat";
        yield { message, became };
      }
    }
  }
}
