import { formatDuration } from "@/server/domain/duration";
import type { DeadLetters } from "@/server/ports/dead-letters";
import type { DeviceTwins } from "@/server/ports/device-twins";
import type { MessageArchive } from "@/server/ports/message-archive";
import { type Finding, pass, type Probe, shortly } from "./probe";

export interface DocumentProbesDeps {
  readonly archive: Pick<MessageArchive, "find">;
  readonly twins: Pick<DeviceTwins, "get">;
  readonly deadLetters: Pick<DeadLetters, "find">;
  readonly group: string;
  /** Advice for when they don't answer. */
  readonly engine: string;
}

/** No device can have this name, and none of its messages are wanted: hardly anything is read. */
const NOBODY = "*";

/** Each document store answers a query. */
export function documentProbes({ archive, twins, deadLetters, group, engine }: DocumentProbesDeps): readonly Probe[] {
  const probe = (name: string, title: string, ask: () => Promise<unknown>): Probe => ({
    name,
    title,
    group,
    timeoutMs: 4000,
    async run() {
      const began = performance.now();
      await ask();
      return pass(`Answers in ${formatDuration(performance.now() - began)}.`);
    },
    whenDown: (error): Finding => ({
      status: "fail",
      summary: "The store does not answer.",
      cause: shortly(error),
      fix: `First mend ${engine}: see its failing probes.`,
    }),
  });
  return [
    probe("documents.archive", "Message archive", () => archive.find({ device: NOBODY, limit: 0 })),
    probe("documents.twins", "Device twins", () => twins.get([NOBODY])),
    probe("documents.dead-letters", "Dead letters", () => deadLetters.find({ sites: "all", limit: 1, device: NOBODY })),
  ];
}
