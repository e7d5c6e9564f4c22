import { afterAll, beforeAll, expect, test } from "vitest";
import { noteActivity } from "@/server/catalog/catalog-writes";
import { withTransaction } from "@/server/postgres/transaction";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { seeded } from "@/server/testing/seeded";
import { usualSilence, usualSilenceSql } from "./silence";

const S = 1000;
const T = Date.UTC(2026, 0, 15);
const DAY = 86_400 * S;
const BATCH_MS = 60 * S;
const STALE_MS = 600 * S;
const JITTER = 0.2;
/** Seconds between two messages. */
const CADENCES = [1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600];
const UNKNOWN = { gaps: 0, gapP99: null as number | null, staleSeconds: null as number | null };

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
  await db.pool.query(
    `INSERT INTO device (id, name) OVERRIDING SYSTEM VALUE SELECT n, 'd' || n FROM generate_series(1, $1::integer) n`,
    [CADENCES.length],
  );
});
afterAll(() => db.drop());

test("from 1 s to 1 h, with a jitter of 20 %, no device is silent for an unusual time in 24 h", async () => {
  const random = seeded(24);
  const devices = CADENCES.map((seconds, i) => {
    const gap = () => seconds * S * (1 - JITTER + 2 * JITTER * random());
    return { id: i + 1, seconds, gap, last: null as number | null, next: T + random() * seconds * S, heard: 0 };
  });
  const falsely: string[] = [];
  let known = new Map<number, typeof UNKNOWN>();
  for (let end = T + BATCH_MS; end <= T + DAY; end += BATCH_MS) {
    const activity = devices.flatMap((device) => {
      const times: number[] = [];
      for (; device.next < end; device.next += device.gap()) times.push(Math.round(device.next));
      if (times.length === 0) return [];
      const first = times[0]!;
      const allowed = usualSilence(known.get(device.id) ?? UNKNOWN, STALE_MS);
      // How often one comes that was heard of only once, nobody knows.
      if (device.heard > 1 && first - device.last! > allowed)
        falsely.push(`${device.seconds} s: ${first - device.last!} of ${allowed} ms after ${device.heard}`);
      device.heard += times.length;
      device.last = times.at(-1)!;
      const gapMs = Math.max(0, ...times.slice(1).map((time, i) => time - times[i]!));
      const seen = { firstSeen: first, lastSeen: device.last, lastEventTime: device.last };
      return [{ id: device.id, messages: times.length, gapMs, ...seen }];
    });
    await withTransaction(db.pool, (tx) => noteActivity(tx, activity));
    const { rows } = await db.pool.query<{ id: number } & typeof UNKNOWN>(
      `SELECT id, gaps, gap_p99::float8 AS "gapP99", stale_seconds AS "staleSeconds" FROM device`,
    );
    known = new Map(rows.map((row) => [row.id, row]));
  }
  expect(falsely).toEqual([]);
  expect(devices.map(({ heard }) => heard > 20)).toEqual(CADENCES.map(() => true));
  // It doesn't allow everything, either: what a device needs is three of its longest gaps.
  for (const { id, seconds } of devices)
    expect(usualSilence(known.get(id)!, STALE_MS)).toBeLessThanOrEqual(
      Math.max(30 * S, 3 * (1 + JITTER) * seconds * S + S),
    );
}, 120_000);

test("PostgreSQL says the same of a usual silence", async () => {
  const cases = [0, 19, 20].flatMap((gaps) =>
    [null, 0, 5 * S, 11 * S, 900 * S].flatMap((gapP99) =>
      [null, 1, 90].flatMap((staleSeconds) =>
        [20 * S, STALE_MS].map((staleMs) => ({ gaps, gapP99, staleSeconds, staleMs })),
      ),
    ),
  );
  const column = (name: keyof (typeof cases)[number]) => cases.map((one) => one[name]);
  const { rows } = await db.pool.query<{ ms: number }>(
    `SELECT (${usualSilenceSql("stale_ms")})::float8 AS ms
     FROM unnest($1::integer[], $2::real[], $3::integer[], $4::float8[]) WITH ORDINALITY AS d (gaps, gap_p99, stale_seconds, stale_ms, i) ORDER BY i`,
    [column("gaps"), column("gapP99"), column("staleSeconds"), column("staleMs")],
  );
  expect(rows.map(({ ms }) => ms)).toEqual(cases.map(({ staleMs, ...device }) => usualSilence(device, staleMs)));
});
