import type { PipelineAnswer } from "@/server/contracts/pipeline";
import type { Product } from "../product";
import { until } from "../waiting";

/**
 * Waits until every message in the log is handled and no more came between two answers (a request whose sender gave it up may
 * still be appended), and answers with the pipeline's totals.
 */
export async function drained(product: Product, atLeast: number, timeoutMs = 120_000): Promise<PipelineAnswer> {
  let answer: PipelineAnswer | undefined;
  let ends = "";
  await until(
    async () => {
      const before = ends;
      answer = await product.get<PipelineAnswer>("/api/v1/pipeline").catch(() => undefined);
      ends = answer ? answer.partitions.map(({ end }) => end).join() : "";
      return answer !== undefined && answer.lag === 0 && answer.totals.messages >= atLeast && ends === before;
    },
    { timeoutMs, everyMs: 100, what: `the pipeline to be through with ${atLeast} messages` },
  ).catch((error: unknown) => {
    throw new Error(
      `${(error as Error).message} It says ${JSON.stringify(answer?.totals)}, lag ${answer?.lag}.\n${product.log().slice(-1500)}`,
    );
  });
  return answer!;
}

/** The totals that what was sent decides alone: how much was late depends on how the batches fell, what the route rejected is told by the way. */
export function exactTotals({
  messages,
  readings,
  duplicates,
  conflicts,
  deadLetters,
  devices,
}: PipelineAnswer["totals"]) {
  return { messages, readings, duplicates, conflicts, deadLetters, devices };
}
