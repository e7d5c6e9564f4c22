import type { PipelineAnswer } from "@/server/contracts/pipeline";
import { drained } from "../drills/pipeline";
import type { Product } from "../product";
import { pause } from "../waiting";
import { messageLine } from "./messages";

/** Fills the log through the REST route while no worker takes from it, then lets one handle all of it. */
export async function drainBacklog(
  product: Product,
  messages: number,
): Promise<{ readonly fillMs: number; readonly drainMs: number; readonly readings: number }> {
  const worker = product.tree().find((one) => /main\.mjs worker\b/.test(one.command));
  if (!worker) throw new Error("no worker process found");
  const { totals: before } = await product.get<PipelineAnswer>("/api/v1/pipeline");
  process.kill(worker.pid, "SIGSTOP");
  const filling = performance.now();
  await fill(product, messages).finally(() => process.kill(worker.pid, "SIGCONT"));
  const filled = performance.now();
  const { totals } = await drained(product, before.messages + messages, 300_000);
  return { fillMs: filled - filling, drainMs: performance.now() - filled, readings: totals.readings - before.readings };
}

/** Posts messages `from` on of the endless stream, 10 ms of event time apart, as fast as the route takes them. @param began time of the stream's first; left out: such that the last is of now. */
export async function fill(
  product: Product,
  messages: number,
  { from = 0, began = Date.now() - messages * 10 }: { readonly from?: number; readonly began?: number } = {},
): Promise<void> {
  let next = 0;
  const sender = async () => {
    while (next < messages) {
      const at = next;
      next += 1000;
      const lines = Array.from(
        { length: Math.min(1000, messages - at) },
        (_, i) => messageLine(from + at + i, began + (from + at + i) * 10).line,
      ).join("\n");
      for (;;) {
        const answer = await product.fetch("/api/v1/telemetry", {
          method: "POST",
          body: lines,
          headers: { "content-type": "application/x-ndjson" },
        });
        if (answer.ok) break;
        if (answer.status !== 429)
          throw new Error(`POST telemetry: ${answer.status} ${(await answer.text()).slice(0, 300)}`);
        await pause(1000 * Number(answer.headers.get("retry-after") ?? 1));
      }
    }
  };
  await Promise.all([sender(), sender(), sender(), sender()]);
}
