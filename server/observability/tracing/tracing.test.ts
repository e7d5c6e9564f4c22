import { afterAll, beforeAll, expect, test } from "vitest";
import { loadConfig } from "@/server/config/config";
import { startOtlpReceiver } from "@/server/testing/otlp-receiver";
import { until } from "@/server/testing/until";
import { openTracing, type Tracing } from "./tracing";

let receiver: Awaited<ReturnType<typeof startOtlpReceiver>>;
beforeAll(async () => void (receiver = await startOtlpReceiver()));
afterAll(() => receiver.stop());

const PARENT = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", isSampled: true };
const open = async (env: Record<string, string>) => {
  const spans = { sent: 0, dropped: 0 };
  const tracing = await openTracing(loadConfig(env, ""), "web", (outcome, count) => (spans[outcome] += count));
  return { tracing: tracing!, spans };
};
const share = (tracing: Tracing) => Array.from({ length: 2000 }, () => tracing.isSampled(null)).filter(Boolean).length;

test("without an endpoint there is no tracing", async () => {
  expect((await open({})).tracing).toBeNull();
});

test("what is sampled goes by the sender, then by OpenTelemetry's variables; each step reaches a receiver of OTLP", async () => {
  const at = { OTEL_EXPORTER_OTLP_ENDPOINT: `${receiver.url}/` };
  const { tracing, spans } = await open({ ...at, OTEL_TRACES_SAMPLER_ARG: "0.1" });
  expect(tracing.isSampled(PARENT)).toBe(true);
  expect(tracing.isSampled({ ...PARENT, isSampled: false })).toBe(false);
  expect(share(tracing)).toBeGreaterThan(100);
  expect(share(tracing)).toBeLessThan(320);
  const step = tracing.begin("POST telemetry", { kind: "server", parent: PARENT, attributes: { n: 1 } });
  tracing.begin("send", { parent: step.at, links: [PARENT] }).end({ error: "LogUnavailableError" });
  step.end();
  await tracing.stop();
  expect(spans).toEqual({ sent: 2, dropped: 0 });
  const [sent, post] = receiver.spans;
  expect(post).toMatchObject({
    service: "fieldwatch-web",
    traceId: PARENT.traceId,
    parentSpanId: PARENT.spanId,
    kind: 2,
  });
  expect(sent).toMatchObject({ parentSpanId: post!.spanId, links: [{ spanId: PARENT.spanId }], status: { code: 2 } });

  const all = await open({ ...at, OTEL_TRACES_SAMPLER: "always_on" });
  expect(all.tracing.isSampled({ ...PARENT, isSampled: false })).toBe(true);
  const none = await open({ ...at, OTEL_TRACES_SAMPLER: "parentbased_always_off" });
  expect([none.tracing.isSampled(PARENT), share(none.tracing)]).toEqual([true, 0]);
  await Promise.all([all.tracing.stop(), none.tracing.stop()]);
});

test("while nobody takes them nothing waits: so many are kept, the others dropped and counted", async () => {
  const { tracing, spans } = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" });
  for (let i = 0; i < 5000; i++) tracing.begin("x", {}).end();
  // At most 2,048 wait, beside those that are being sent.
  await until(() => spans.dropped >= 5000 - 2048 - 512);
  const began = performance.now();
  await tracing.stop();
  expect(performance.now() - began).toBeLessThan(15_000);
  expect(spans.sent).toBe(0);
  expect(spans.dropped).toBeGreaterThanOrEqual(5000 - 512);
});
