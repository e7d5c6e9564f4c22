import type { PipelineAnswer } from "@/server/contracts/pipeline";
import type { Product } from "../product";
import { seeded, until } from "../waiting";

const SITES = ["aachen", "bergen", "como", "delft", "espoo", "faro", "graz", "huelva", "izmir", "jena", "kiel", "lyon"];
const TYPES = ["press", "pump", "meter", "cold-room"];
/** Every hundredth device falls silent, so that there is trouble to show. */
const SILENT_EVERY = 100;
const SEND_EVERY_MS = 100;

/** Makes `devices` devices known, by a first message of each. */
export async function registerFleet(product: Product, devices: number): Promise<void> {
  for (let at = 0; at < devices; at += 1000) {
    const names = Array.from({ length: Math.min(1000, devices - at) }, (_, i) => at + i);
    await send(
      product,
      names.map((i) => message(i, 20 + (i % 10))),
    );
  }
  await until(async () => (await product.get<PipelineAnswer>("/api/v1/pipeline")).totals.devices === devices, {
    timeoutMs: 120_000,
    what: `${devices} devices`,
  });
}

function message(i: number, value: number): string {
  const device = `${TYPES[i % TYPES.length]}-${String(i).padStart(5, "0")}`;
  const readings = { temperature: value, humidity: 40 + value / 3, battery: 100 - (i % 60) };
  const described = { site: SITES[i % SITES.length], type: TYPES[i % TYPES.length] };
  return JSON.stringify({ device, time: Date.now(), ...described, readings });
}

async function send(product: Product, lines: readonly string[]): Promise<void> {
  const answer = await product.fetch("/api/v1/telemetry", {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: lines.join("\n"),
  });
  if (answer.status !== 202) throw new Error(`POST telemetry: ${answer.status} ${await answer.text()}`);
}

/** Sends `rate` messages a second on time, whatever the answers take; `stop` tells how many a second were stored. */
export function startFleetLoad(product: Product, devices: number, rate: number) {
  const random = seeded(7);
  const anyTalking = () => {
    const i = Math.floor(random() * devices);
    return i % SILENT_EVERY === 0 ? (i + 1) % devices : i;
  };
  const started = performance.now();
  let sent = 0;
  let failure: unknown = null;
  const underWay = new Set<Promise<void>>();
  const before = product.get<PipelineAnswer>("/api/v1/pipeline");
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - started) / 1000) * rate) - sent;
    if (due <= 0) return;
    sent += due;
    const lines = Array.from({ length: due }, () => message(anyTalking(), 15 + random() * 15));
    const request = send(product, lines).catch((error: unknown) => void (failure = error));
    underWay.add(request);
    void request.finally(() => underWay.delete(request));
  }, SEND_EVERY_MS);
  return {
    async stop(): Promise<number> {
      clearInterval(timer);
      await Promise.all(underWay);
      if (failure !== null) throw failure;
      const took = (performance.now() - started) / 1000;
      const after = await product.get<PipelineAnswer>("/api/v1/pipeline");
      return (after.totals.messages - (await before).totals.messages) / took;
    },
  };
}
