import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeEach, expect, test } from "vitest";
import type { Tracing } from "./observability/tracing/tracing";
import { logContext } from "./observability/logs/context";
import type { SourceBatch } from "./pipeline/batch";
import { until } from "./testing/until";
import type { EventLog } from "./ports/event-log";
import type { OpenSource } from "./sources/intake";
import type { Incoming } from "./sources/read";
import { traceBatches } from "./trace-batches";
import { traceDelivered, traceDeliveries } from "./trace-deliveries";
import { traceRequest } from "./trace-requests";

/** What was told of, in a tracing that samples what its sender does. */
const told: { name: string; parent: string | null; error: string | undefined }[] = [];
let begun = 0;
beforeEach(() => void told.splice(0));
const tracing: Tracing = {
  slowMs: 200,
  isSampled: (parent) => parent?.isSampled === true,
  begin(name, { parent = null }) {
    const at = {
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: (++begun).toString(16).padStart(16, "b"),
      isSampled: true,
    };
    return { at, end: ({ error } = {}) => void told.push({ name, parent: parent?.spanId ?? null, error }) };
  },
  stop: () => Promise.resolve(),
};

const server = createServer((request, response) => {
  traceRequest(tracing, request, response, () => {
    const { searchParams } = new URL(request.url!, "http://here");
    response.statusCode = Number(searchParams.get("status"));
    void delay(Number(searchParams.get("ms"))).then(() => response.end());
  });
}).listen(0, "127.0.0.1");
afterAll(() => void server.close());

const ask = async (status: number, ms: number, path = "pipeline", method = "GET") => {
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${path}?status=${status}&ms=${ms}`, { method });
  await answer.arrayBuffer();
};

test("a request that isn't sampled is told of when it fails or takes long", async () => {
  await ask(404, 0);
  await ask(503, 0);
  await until(() => told.length === 1);
  expect(told).toEqual([{ name: "GET api", parent: null, error: "503" }]);
  await ask(200, 250);
  await until(() => told.length === 2);
  expect(told[1]).toMatchObject({ error: undefined });
});

test("a test message is always traced", async () => {
  await ask(202, 0, "test-message", "POST");
  await until(() => told.length === 1);
  await ask(200, 0, "test-message");
  expect(told).toEqual([{ name: "POST api", parent: null, error: undefined }]);
});

const batch = (traceparent?: string): SourceBatch =>
  ({ position: { partition: 0 }, records: [{ headers: traceparent === undefined ? {} : { traceparent } }] }) as never;
const handled = (slowMs: number) =>
  traceBatches({ ...tracing, slowMs }, { add: () => {} } as never, { sent: () => Promise.resolve(false) });

test("a batch without a sampled message is told of when it fails or takes long, with its stages", async () => {
  await handled(60_000).handle([batch()], () => Promise.resolve([]));
  expect(told).toEqual([]);
  const failing = handled(60_000).handle([batch()], () => Promise.reject(new TypeError("secret")));
  await expect(failing).rejects.toThrow("secret");
  expect(told).toEqual([{ name: "process iot.telemetry", parent: null, error: "TypeError" }]);
  told.splice(0);
  const slow = handled(0);
  await slow.handle([batch()], () => {
    slow.timings.add("readings", { ms: 3 } as never);
    return Promise.resolve([]);
  });
  expect(told.map(({ name }) => name)).toEqual(["readings", "process iot.telemetry"]);
});

test("a batch is part of the trace of its only sampled message, and names those of several", async () => {
  const parents = ["b7ad6b7169203331", "b7ad6b7169203332"].map(
    (span) => `00-0af7651916cd43dd8448eb211c80319c-${span}-01`,
  );
  let lines: unknown;
  await handled(60_000).handle([batch(parents[0])], () => {
    lines = logContext();
    return Promise.resolve([]);
  });
  expect(lines).toEqual({ trace_id: "0af7651916cd43dd8448eb211c80319c", span_id: "b7ad6b7169203331" });
  expect(told.find(({ name }) => name.startsWith("process"))!.parent).toBe("b7ad6b7169203331");
  told.splice(0);
  await handled(60_000).handle(parents.map(batch), () => Promise.resolve([]));
  expect(told.find(({ name }) => name.startsWith("process"))!.parent).toBeNull();
  expect(told.filter(({ name }) => name === "committed").map(({ parent }) => parent)).toEqual([
    "b7ad6b7169203331",
    "b7ad6b7169203332",
  ]);
});

const SOURCE = { name: "plant", door: { type: "kafka" } } as OpenSource;
const PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const delivery = (traceparent?: string) => {
  const headers: Record<string, string> = traceparent === undefined ? {} : { traceparent };
  return { body: new Uint8Array(), arrived: 0, beside: { kafka: { headers } } } as unknown as Incoming;
};

test("deliveries of a log of others go on in the traces its records name, each with its own step of the append", async () => {
  const appended: (string | undefined)[] = [];
  const append: EventLog["append"] = async (_, records) =>
    void appended.push(...records.map(({ headers }) => headers?.traceparent));
  const log = traceDelivered({ append } as EventLog, tracing);
  const deliver = traceDeliveries(tracing, (_, deliveries) =>
    log.append(
      "iot.telemetry",
      // Each became two messages.
      deliveries.flatMap(({ traceparent }) => {
        const record = { key: "d", value: new Uint8Array(), ...(traceparent && { headers: { traceparent } }) };
        return [record, record];
      }),
    ),
  );
  await deliver(SOURCE, [delivery(), delivery(PARENT), delivery(PARENT.replace(/1$/, "0")), delivery(PARENT)]);
  expect(told.map(({ name }) => name)).toEqual([
    ...["send iot.telemetry", "send iot.telemetry"],
    ...["receive kafka", "receive kafka"],
  ]);
  const [none, , first, same, no, , second] = appended;
  expect([none, no, first === same, first === second]).toEqual([undefined, undefined, true, false]);
  expect(told.slice(2).map(({ parent }) => parent)).toEqual(["b7ad6b7169203331", "b7ad6b7169203331"]);
  told.splice(0);
  await deliver(SOURCE, [delivery()]);
  expect(told).toEqual([]);
  await deliver(
    SOURCE,
    Array.from({ length: 500 }, () => delivery(PARENT)),
  );
  expect(told.filter(({ name }) => name === "receive kafka")).toHaveLength(128);
});

test("deliveries that the log doesn't take, or takes slowly, are told of once, whatever is sampled", async () => {
  const away = () => Promise.reject(new TypeError("secret"));
  await expect(traceDeliveries(tracing, away)(SOURCE, [delivery(), delivery()])).rejects.toThrow("secret");
  expect(told).toEqual([{ name: "receive kafka", parent: null, error: "TypeError" }]);
  await traceDeliveries({ ...tracing, slowMs: 0 }, () => Promise.resolve())(SOURCE, [delivery(), delivery()]);
  expect(told[1]).toEqual({ name: "receive kafka", parent: null, error: undefined });
});
