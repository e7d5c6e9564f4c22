import { counted } from "@/server/domain/counted";
import { command } from "@/server/domain/fix";
import type { DeadLetters } from "@/server/ports/dead-letters";
import { type Finding, pass, type Probe } from "./probe";

/** No message made the worker fail that isn't settled yet. Each is kept as a dead letter and costs the others nothing. */
export function failedRecordsProbe({
  deadLetters,
}: {
  readonly deadLetters: Pick<DeadLetters, "count" | "find">;
}): Probe {
  return {
    name: "pipeline.failed-records",
    title: "No message makes the worker fail",
    group: "Pipeline",
    timeoutMs: 4000,
    async run(): Promise<Finding> {
      const those = { sites: "all", reason: "internalError", status: "open" } as const;
      const { open } = await deadLetters.count(those);
      const [newest] = open === 0 ? [] : await deadLetters.find({ ...those, limit: 1 });
      if (newest === undefined) return pass("None.");
      return {
        status: "warn",
        summary: `${counted(open, "message")} made the worker fail; ${open === 1 ? "it is" : "they are"} kept whole, and the others went on.`,
        // Its error isn't quoted: it may hold words of the message, which not all who see health may see.
        cause: `The newest is of partition ${newest.position.partition} at ${newest.position.offset}; its error stands in its dead letter.`,
        fix: `A fault in Fieldwatch: report it with the error, and resend after an upgrade. See ${command`GET /api/v1/dead-letters?reason=internalError`}`,
      };
    },
  };
}
