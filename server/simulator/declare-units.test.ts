import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import pino from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createBackoff } from "@/server/async/backoff";
import { deviceDetail } from "@/server/contracts/devices";
import { metricChanged, metricsAnswer } from "@/server/contracts/metrics";
import { createApiRig, JSON_TYPE, read } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";
import { declareUnits } from "./declare-units";

const rig = createApiRig();
const asked: string[] = [];
const server = createServer((request, answer) => {
  asked.push(request.url!);
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  const handle = async () => {
    const init = { method: "PATCH", body: Buffer.concat(parts), headers: JSON_TYPE };
    const name = decodeURIComponent(request.url!.split("/").at(-1)!);
    const found = await rig.api.handle("updateMetric", new Request("http://here/api", init), { name });
    answer.writeHead(found.status, { "content-type": "application/json" }).end(await found.text());
  };
  request.on("end", () => void handle());
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
afterAll(() => new Promise((resolve) => server.close(resolve)));

const send = (device: string, readings: object) =>
  rig.post(JSON.stringify([{ device, time: new Date().toISOString(), readings }]));

it("says units of its own devices once they have reported, and overwrites nobody's", async () => {
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/base/api/v1/telemetry`);
  const stop = new AbortController();
  const declared = declareUnits({
    ...{ url, authorization: () => ({}), stop: stop.signal, logger: pino({ level: "silent" }) },
    devices: [
      { name: "meter-1", type: "meter" },
      { name: "meter-2", type: "meter" },
    ],
    backoff: createBackoff({ firstMs: 20, maxMs: 50 }),
  });
  await until(() => asked.length >= 3);
  expect(asked[0]).toBe("/base/api/v1/metrics/power");

  await send("meter-1", { power: 1, energy: 2, voltage: 3 });
  await send("foreign", { power: 1, voltage: 3300 });
  const units = async (id: string) => (await read(deviceDetail, rig.get("getDevice", { id }))).units;
  await until(async () => (await rig.get("getDevice", { id: "meter-1" })).status === 200, { timeoutMs: 20_000 });
  await until(async () => Object.keys(await units("meter-1")).length === 3, { timeoutMs: 20_000 });
  const patch = { method: "PATCH", body: JSON.stringify({ unit: "kW", devices: ["meter-1"] }), headers: JSON_TYPE };
  await read(metricChanged, rig.api.handle("updateMetric", new Request("http://here/api", patch), { name: "power" }));

  await send("meter-2", { power: 1, energy: 2, voltage: 3 });
  await declared;
  expect(await units("meter-1")).toEqual({ power: "kW", energy: "kWh", voltage: "V" });
  expect(await units("meter-2")).toEqual({ power: "W", energy: "kWh", voltage: "V" });
  expect(await units("foreign")).toEqual({});
  const { items } = await read(metricsAnswer, rig.get("listMetrics"));
  expect(items.map(({ unit, meaning, ownUnits }) => [unit, meaning, ownUnits])).toEqual(
    Array(3).fill([null, "none", 2]),
  );
});

it("ends when it is stopped", async () => {
  const stop = new AbortController();
  const declared = declareUnits({
    ...{
      url: new URL("http://127.0.0.1:9/api/v1/telemetry"),
      authorization: () => ({}),
      stop: stop.signal,
      logger: pino({ level: "silent" }),
    },
    devices: [{ name: "meter-3", type: "meter" }],
    backoff: createBackoff({ firstMs: 60_000, maxMs: 60_000 }),
  });
  stop.abort();
  await declared;
});
