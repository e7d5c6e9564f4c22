import { afterAll, beforeAll, expect, test } from "vitest";
import type { Pool } from "pg";
import { noteHandled, noteSent, latestProbeMessages } from "./probe-messages";
import { PROBE_HEADER } from "@/server/domain/probe-message";
import { type LogRecord, LogUnavailableError } from "@/server/ports/event-log";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { until } from "@/server/testing/until";
import { createTestMessages } from "./test-messages";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const ANYWHERE = "00000000-0000-4000-8000-000000000000";

function made(append: (records: readonly LogRecord[]) => Promise<void>, pool: Pool = db.pool) {
  return createTestMessages({
    pool,
    eventLog: { append: (_topic, records) => append(records) },
    health: () => ({ probes: [] }),
    trace: () => TRACE,
    traceUrl: "https://traces.example/{trace}?from=fieldwatch",
    bounds: () => ({ now: Date.now(), futureToleranceMs: 1000, retentionMs: null }),
    now: Date.now,
    onError: () => {},
  });
}

test("a message like any other goes to the log, and its way is told by both sides", async () => {
  const records: LogRecord[] = [];
  const messages = made(async (some) => void records.push(...some));
  const followed = await messages.send("fieldwatch-test");
  expect(records).toHaveLength(1);
  expect(records[0]).toMatchObject({ key: "fieldwatch-test", headers: { [PROBE_HEADER]: followed.id } });
  expect(JSON.parse(Buffer.from(records[0]!.value).toString())).toMatchObject({ readings: { "test-message": 1 } });
  expect(followed.trace).toEqual({ id: TRACE, url: `https://traces.example/${TRACE}?from=fieldwatch` });
  expect(followed.stations.map(({ state }) => state).slice(0, 3)).toEqual(["done", "done", "waiting"]);

  const at = Date.now();
  await noteHandled(db.pool, followed.id, {
    ...{ worker: "w", partition: 0, offset: 7, takenAt: at, failing: null, refused: false, frameLost: false },
    ends: { decode: at, enrich: at, documents: at, readings: at, published: at + 1 },
  });
  expect(await messages.find("all", followed.id)).toMatchObject({ state: "done" });
  // Another web process, which did not send it, knows as much.
  await until(async () => (await made(async () => {}).find("all", followed.id))?.state === "done", { what: "its way" });
  expect((await messages.latest("all")).items[0]).toMatchObject({ id: followed.id, state: "done" });
  expect(await messages.find("all", ANYWHERE)).toBeNull();
});

test("a name no device can have is refused", async () => {
  await expect(made(async () => {}).send("no spaces please")).rejects.toMatchObject({ kind: "invalid" });
});

test("a log that is away is told at its station, one that hangs is not waited for", async () => {
  const away = await made(() => Promise.reject(new LogUnavailableError("no broker"))).send("d");
  expect(away.stations[1]).toMatchObject({ name: "durable", state: "failing", cause: "no broker" });
  const hanging = made(() => new Promise(() => {}));
  const sent = await Promise.all(Array.from({ length: 10 }, () => hanging.send("d")));
  expect(sent[0]!.stations[1]).toMatchObject({ name: "durable", state: "waiting" });
  await expect(hanging.send("d")).rejects.toMatchObject({ kind: "busy" });
});

test("a database that is away: what this process knows is told, the rest is unknown", async () => {
  const refused = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
  const messages = made(async () => {}, { query: () => Promise.reject(refused) } as unknown as Pool);
  const { id } = await messages.send("d");
  expect(await messages.find("all", id)).toMatchObject({ state: "unknown" });
  expect((await messages.latest("all")).items).toHaveLength(1);
  await expect(messages.find("all", ANYWHERE)).rejects.toThrow("refused");
});

test("only the latest are kept", async () => {
  const sent = { device: "d", eventTime: 0, acceptedAt: 0, durableAt: 0, error: null };
  for (let i = 0; i < 120; i++) await noteSent(db.pool, `kept-${i}`, sent);
  const kept = await latestProbeMessages(db.pool, "all", 1000);
  expect(kept.length).toBe(100);
  expect(kept[0]!.id).toBe("kept-119");
});
