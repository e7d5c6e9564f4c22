import type { PipelineAnswer } from "@/server/contracts/pipeline";
import { formatSeconds } from "../ui/format";

/** Says how long the oldest message waits, and when nothing will. */
export function lagNote({
  lag,
  lagSeconds,
  clearSeconds,
}: Pick<PipelineAnswer, "lag" | "lagSeconds" | "clearSeconds">) {
  if (lag === 0) return "nothing waits";
  // Messages that come and go within a second are no queue.
  if (lagSeconds !== null && lagSeconds < 1) return "oldest waits less than 1 s";
  const waits = lagSeconds === null ? "oldest: unknown" : `oldest waits ${formatSeconds(lagSeconds)}`;
  if (lag === null) return waits;
  return `${waits}; ${clearSeconds === null ? "not getting less" : `clear in ${formatSeconds(clearSeconds)}`}`;
}
