import { describe, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { LogUnavailableError } from "@/server/ports/event-log";
import { goBackBefore } from "@/server/testing/database";
import { archivedMessages } from "@/server/testing/archived";
import { pipelineBench } from "@/server/testing/pipeline-bench";
import { withTransaction } from "@/server/postgres/transaction";
import { noteWatched } from "./live-watch";
import { beginEpochs, takePosition } from "./positions";

const bench = pipelineBench();
const T = Date.UTC(2026, 0, 15, 10);
const fill = (partition: number, from: number, to: number) => {
  for (let i = from; i < to; i++)
    bench.log.append(partition, { device: `d${partition}`, time: T + i, readings: { a: i } });
};
const positions = async (partition = 0) => {
  const { rows } = await bench.pool.query(
    `SELECT epoch, next::int AS next, topic_id AS topic, break, break_offsets::int AS offsets, messages::int AS messages,
       skipped::int AS skipped
     FROM pipeline_position WHERE partition = $1 ORDER BY epoch`,
    [partition],
  );
  return rows;
};
const archived = async () => {
  const stretches: { epoch: number; partition: number; offsets: number[] }[] = [];
  for (const { position } of await archivedMessages(bench.pool)) {
    const epoch = Number(position.log.at(-1));
    const last = stretches.at(-1);
    if (last?.epoch === epoch && last.partition === position.partition) last.offsets.push(position.offset);
    else stretches.push({ epoch, partition: position.partition, offsets: [position.offset] });
  }
  return stretches;
};
const whole = { break: null, offsets: null, skipped: 0 };

describe("a topic made anew, known by its id", () => {
  test.each([
    ["before the position", 1],
    ["exactly at it", 3],
    ["past it", 5],
  ])("is read from its start as a new epoch, filled %s", async (_, size) => {
    const rig = await bench.rig();
    fill(0, 0, 3);
    await rig.drain();
    bench.log.recreate("topic-2");
    fill(0, 10, 10 + size);
    await rig.drain();
    expect(await positions()).toEqual([
      { ...whole, epoch: 0, next: 3, topic: "topic-1", messages: 3 },
      { ...whole, epoch: 1, next: size, topic: "topic-2", messages: size, break: "recreated" },
    ]);
    expect(await archived()).toMatchObject([{ epoch: 0, offsets: [0, 1, 2] }, { epoch: 1 }]);
    expect(await archivedMessages(bench.pool)).toHaveLength(3 + size);
  });

  test("is an end below the position where the log tells no id, so that nothing is left out", async () => {
    bench.log.identity.topicId = null;
    const rig = await bench.rig();
    fill(0, 0, 3);
    await rig.drain();
    bench.log.recreate("topic-2");
    bench.log.identity.topicId = null;
    fill(0, 10, 11);
    await rig.drain();
    expect(await positions()).toMatchObject([
      { epoch: 0, next: 3 },
      { epoch: 1, next: 1, break: "recreated" },
    ]);
  });
});

describe("a log that lost its tail, the same topic", () => {
  test.each([
    ["noticed at once", 0, 4],
    ["noticed when new messages stand where old ones did", 2, 4],
    ["noticed when it has grown past the position", 5, 4],
  ])("goes on where it was lost, %s: nothing repeated, nothing left out", async (_, grown, from) => {
    const rig = await bench.rig();
    fill(0, 0, 3);
    bench.log.append(0, "not a message");
    fill(0, 4, 6);
    fill(1, 0, 2);
    await rig.drain();
    await bench.pool.query(`UPDATE dead_letter SET status = 'discarded'`);
    bench.log.loseTail(0, from);
    fill(0, 100, 100 + grown);
    await rig.drain();
    fill(0, 200, 201);
    await rig.drain();

    expect(await positions()).toEqual([
      { ...whole, epoch: 0, next: 6, topic: "topic-1", messages: 6 },
      {
        ...{ epoch: 1, next: from + grown + 1, topic: "topic-1", messages: grown + 1 },
        ...{ break: "lostTail", offsets: 2, skipped: 0 },
      },
    ]);
    // The other partition lost nothing, and knows nothing of it.
    expect(await positions(1)).toEqual([{ ...whole, epoch: 0, next: 2, topic: "topic-1", messages: 2 }]);
    const later = Array.from({ length: grown + 1 }, (_none, i) => from + i);
    expect(await archived()).toEqual([
      { epoch: 0, partition: 0, offsets: [0, 1, 2, 4, 5] },
      { epoch: 0, partition: 1, offsets: [0, 1] },
      { epoch: 1, partition: 0, offsets: later },
    ]);
    const letters = await bench.pool.query(`SELECT status FROM dead_letter`);
    expect(letters.rows).toEqual([{ status: "discarded" }]);
  });

  test("without terms goes on at its end, and says so", async () => {
    const rig = await bench.rig();
    fill(0, 0, 6);
    await rig.drain();
    await bench.pool.query(`UPDATE pipeline_position SET term = NULL`);
    bench.log.loseTail(0, 4);
    expect(await rig.begin(0)).toBe(4);
    expect((await positions()).at(-1)).toMatchObject({ epoch: 1, next: 4, break: "lostTail", offsets: 2 });
  });
});

test("what holds no message is no loss; what expired unread is, and is counted once", async () => {
  const rig = await bench.rig();
  fill(0, 0, 10);
  bench.log.parts[0]!.records.splice(1, 3); // Compacted away, or marks of transactions.
  bench.log.parts[0]!.records.push({ ...bench.log.parts[0]!.records.at(-1)!, offset: 10 });
  await rig.begin(0);
  await rig.stretch(0, { from: 0, to: 13 });
  await rig.stretch(0, { from: 13, to: 20 });
  expect(await positions()).toMatchObject([{ next: 20, messages: 8, skipped: 0, break: null }]);
  await rig.stretch(0, { from: 25, to: 30 });
  expect(await positions()).toMatchObject([{ next: 30, skipped: 5, break: "expired", offsets: 5 }]);
});

test("a partition that is missing in an answer is waited for: unknown is not zero", async () => {
  const rig = await bench.rig();
  fill(0, 0, 3);
  await rig.drain();
  const { boundsOf, describe: describeLog } = bench.log;
  bench.log.boundsOf = () => ({ ...boundsOf(0), end: 2 });
  await bench.pool.query(`UPDATE pipeline_position SET term = NULL`);
  bench.log.describe = async () => ({ ...(await describeLog()), partitions: [] });
  await expect((await bench.rig()).begin(0)).rejects.toThrow(LogUnavailableError);
  expect(await positions()).toMatchObject([{ epoch: 0, next: 3 }]);
});

test("a log that can't tell about a term for now is asked again, and nothing is begun", async () => {
  const rig = await bench.rig();
  fill(0, 0, 3);
  await rig.drain();
  const bounds = { ...bench.log.boundsOf(0), endOfTerm: () => Promise.reject(new LogUnavailableError("away")) };
  const place = { topic: "iot.telemetry", partition: 0 };
  await expect(takePosition(bench.pool, place, bounds, async () => bounds)).rejects.toThrow(LogUnavailableError);
  expect(await positions()).toMatchObject([{ epoch: 0, next: 3 }]);
});

describe("a position", () => {
  test("a stale worker's batch fails whole", async () => {
    const stale = await bench.rig();
    const taker = await bench.rig();
    for (let i = 0; i < 4; i++) bench.log.append(0, { device: "d", time: T + i, readings: { a: i } });
    await stale.begin(0);
    await taker.begin(0);
    await taker.batch(0, 0, 2);
    await expect(stale.batch(0, 0, 4)).rejects.toMatchObject({ name: "FencedError" });
    expect(await bench.totals()).toMatchObject({ messages: 2, readings: 2 });
    await stale.begin(0);
    await stale.batch(0, 2, 4);
    expect(await bench.totals()).toMatchObject({ messages: 4, readings: 4, duplicates: 0 });
    expect(stale.fatal).toEqual([]);
  });

  test("a position another worker has just moved past the bounds seen is not taken for a new topic", async () => {
    const rig = await bench.rig();
    for (let i = 0; i < 3; i++) bench.log.append(0, { device: "d", time: T + i, readings: { a: i } });
    await rig.drain();
    const { boundsOf } = bench.log;
    // The bounds were asked for before the last record came, the end afterwards.
    bench.log.boundsOf = () => ({ ...boundsOf(0), end: 2 });
    expect(await rig.begin(0)).toBe(3);
    bench.log.boundsOf = boundsOf;
  });

  test("messages that expired unread are counted as skipped", async () => {
    const rig = await bench.rig();
    for (let i = 0; i < 10; i++) bench.log.append(0, { device: "d", time: T + i, readings: { a: i } });
    await rig.begin(0);
    await rig.batch(0, 0, 2);
    bench.log.expire(0, 5);
    expect(await rig.begin(0)).toBe(5);
    bench.log.expire(0, 1);
    await rig.batch(0, 6, 10);
    expect(await bench.totals()).toMatchObject({ messages: 6, readings: 6, skipped: 4 });
  });
});

test("a database from before topics had ids goes on where it was, and repeats nothing", async () => {
  await goBackBefore(bench.db, "20261128110000_topic_identity");
  await bench.pool.query(
    `INSERT INTO pipeline_position (cluster, topic, epoch, partition, next, messages, readings, duplicates, dead_letters)
       VALUES ($1, 'iot.telemetry', 0, 0, 2, 2, 2, 0, 0), ($1, 'iot.telemetry', 1, 0, 3, 3, 3, 0, 0)`,
    [bench.log.cluster],
  );
  await migrate(bench.db.connectionString);
  fill(0, 0, 5);
  const rig = await bench.rig();
  await rig.drain();
  const { rows } = await bench.pool.query(
    `SELECT epoch, next::int AS next, messages::int AS messages, topic_id, break FROM pipeline_position
       WHERE partition = 0 ORDER BY epoch`,
  );
  expect(rows).toEqual([
    { epoch: 0, next: 2, messages: 2, topic_id: null, break: null },
    { epoch: 1, next: 5, messages: 5, topic_id: "topic-1", break: null },
  ]);
  bench.log.recreate("topic-2");
  fill(0, 0, 9);
  await rig.drain();
  const { rows: anew } = await bench.pool.query(
    `SELECT next::int AS next, topic_id FROM pipeline_position WHERE partition = 0 AND epoch = 2`,
  );
  expect(anew).toEqual([{ next: 9, topic_id: "topic-2" }]);
});

test("a log that hands out its offsets again after a restore is read on at the same place, as a new epoch", async () => {
  const rig = await bench.rig();
  fill(0, 0, 3);
  await rig.drain();
  const { rows } = await bench.pool.query<{ cluster: string }>("SELECT DISTINCT cluster FROM pipeline_position");
  await withTransaction(bench.pool, (tx) => beginEpochs(tx, rows[0]!.cluster));
  fill(0, 3, 5);
  await rig.drain();
  expect(await positions()).toEqual([
    { ...whole, epoch: 0, next: 3, topic: "topic-1", messages: 3 },
    { ...whole, epoch: 1, next: 5, topic: "topic-1", messages: 2 },
  ]);
  expect(await archived()).toMatchObject([
    { epoch: 0, offsets: [0, 1, 2] },
    { epoch: 1, offsets: [3, 4] },
  ]);
});

test("a batch is told whether browsers watch, until a web process hasn't said so for a while", async () => {
  const rig = await bench.rig();
  const lastWatched = async (offset: number) => {
    fill(0, offset, offset + 1);
    await rig.drain();
    return rig.committed.at(-1)!.isWatched;
  };
  expect(await lastWatched(0)).toBe(false);
  await noteWatched(bench.pool);
  expect(await lastWatched(1)).toBe(true);
  await bench.pool.query("UPDATE live_watch SET until = clock_timestamp()");
  expect(await lastWatched(2)).toBe(false);
});
