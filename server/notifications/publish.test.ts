import pino from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { composeEngines, type Engines, topicSettings } from "@/server/compose";
import { loadConfig } from "@/server/config/config";
import { TOPICS } from "@/server/domain/terms";
import type { LogRecord } from "@/server/ports/event-log";
import { alertRows } from "@/server/testing/alert-rows";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { until } from "@/server/testing/until";
import { publishEvents } from "./publish";

let db: TestDatabase;
let engines: Engines;
beforeAll(async () => {
  db = await freshDatabase();
  const config = loadConfig({ DATABASE_URL: db.appUrl }, "");
  engines = await composeEngines(config, "test", pino({ level: "silent" }));
  await engines.eventLog.ensureTopics(topicSettings(config));
});
afterAll(async () => {
  await engines.close();
  await db.drop();
});

test("events are CloudEvents by device, each once, and stay while the log is away", async () => {
  const got: (Pick<LogRecord, "key"> & { event: Record<string, unknown> })[] = [];
  const consumption = await engines.eventLog.consume({
    ...{ topic: TOPICS.alerts, group: "reader", maxRecords: 100, maxBytes: 1e6, concurrency: 1, onError: () => {} },
    startAt: async (_, { start }) => start,
    async onBatch({ records }) {
      for (const { key, value } of records)
        got.push({ key, event: JSON.parse(Buffer.from(value).toString()) as Record<string, unknown> });
    },
  });
  const alerts = alertRows(db.pool);
  const alert = await alerts.fire();
  await alerts.resolve(alert);
  await db.pool.query(`INSERT INTO alert_outbox (event_id) SELECT id FROM alert_event`);
  const away = { append: () => Promise.reject(new Error("away")) };
  await expect(publishEvents(db.pool, away)).rejects.toThrow("away");
  expect(await publishEvents(db.pool, engines.eventLog)).toBe(2);
  expect(await publishEvents(db.pool, engines.eventLog)).toBe(0);
  await until(() => got.length === 2);
  expect(got.map(({ key }) => key)).toEqual(["press-07", "press-07"]);
  expect(got.map(({ event }) => [event["type"], event["subject"]])).toEqual([
    ["fieldwatch.alert.fired", "press-07"],
    ["fieldwatch.alert.resolved", "press-07"],
  ]);
  expect(got[0]!.event).toMatchObject({
    ...{ specversion: "1.0", source: "/fieldwatch/alerts", datacontenttype: "application/json" },
    data: { alert, severity: "warning", rule: "too hot", site: "north", metric: "temperature", value: 81 },
  });
  await consumption.stop(1000);
});
