import type { PipelineAnswer } from "@/server/contracts/pipeline";
import type { Product } from "../product";
import { until } from "../waiting";

/** Waits until every message in the log is handled, and answers with the pipeline's totals. */
export async function drained(product: Product, atLeast: number, timeoutMs = 120_000): Promise<PipelineAnswer> {
  let answer: PipelineAnswer | undefined;
  await until(
    async () => {
      answer = await product.get<PipelineAnswer>("/api/v1/pipeline").catch(() => undefined);
      return answer !== undefined && answer.lag === 0 && answer.totals.messages >= atLeast;
    },
    { timeoutMs, everyMs: 100, what: `the pipeline to be through with ${atLeast} messages` },
  ).catch((error: unknown) => {
    throw new Error(
      `${(error as Error).message} It says ${JSON.stringify(answer?.totals)}, lag ${answer?.lag}.\n${product.log().slice(-1500)}`,
    );
  });
  return answer!;
}
