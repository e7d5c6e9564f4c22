import fc from "fast-check";
import { expect, test } from "vitest";
import { createPostgresMessageArchive } from "@/server/adapters/postgres/message-archive";
import { sourceHeaders } from "@/server/domain/source-mark";
import { pipelineBench } from "@/server/testing/pipeline-bench";
import { archivedMessages } from "@/server/testing/archived";
import type { Fault, Rig } from "@/server/testing/pipeline-rig";

const PARTITIONS = 3;
const bench = pipelineBench({ partitions: PARTITIONS });
const T = Date.UTC(2026, 0, 15, 10, 59, 58);

/** What a batch may hold: late, repeated and conflicting readings, refused fields, and what can't be read. */
const message = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      ...{ device: fc.nat(2), at: fc.nat(8), a: fc.nat(1), bad: fc.boolean() },
      source: fc.constantFrom(null, "barn", "nobody"),
    }),
  },
  { weight: 1, arbitrary: fc.constant("nothing to read") },
);
/** Batches, each with the messages of every partition. */
const rounds = fc.array(
  fc.array(fc.array(message, { maxLength: 5 }), { minLength: PARTITIONS, maxLength: PARTITIONS }),
  {
    minLength: 1,
    maxLength: 4,
  },
);

interface Sent {
  readonly device: number;
  readonly at: number;
  readonly a: number;
  readonly bad: boolean;
  readonly source?: string | null;
}

function append(partition: number, one: string | Sent): void {
  if (typeof one === "string") return bench.log.append(partition, one, T);
  const { device, at, a, bad, source = null } = one;
  const readings = { a, b: device, ...(bad && { "not a name!": 1 }) };
  bench.log.append(
    partition,
    { device: `p${partition}-${device}`, time: T + at * 500, readings },
    T,
    source === null ? {} : sourceHeaders(source, 1),
  );
}

async function stored() {
  const { rows } = await bench.pool.query(
    `SELECT partition, next::int, messages::int, readings::int, duplicates::int, dead_letters::int, late::int, conflicts::int
     FROM pipeline_position ORDER BY partition`,
  );
  const rates = await bench.pool.query(
    `SELECT partition, sum(messages)::int AS messages, sum(readings)::int AS readings, sum(late)::int AS late FROM pipeline_rate
     GROUP BY partition HAVING sum(messages) > 0 ORDER BY partition`,
  );
  const letters = await bench.pool.query(
    `SELECT partition, reason, sum(letters)::int AS letters FROM pipeline_refused WHERE bucket > '-infinity' GROUP BY 1, 2 ORDER BY 1, 2`,
  );
  const sources = await bench.pool.query(
    `SELECT name, partition, messages::int, readings::int, duplicates::int, conflicts::int, dead_letters::int, behind, ahead
     FROM source_commit JOIN source ON id = source_id ORDER BY 1, 2`,
  );
  const devices = await bench.pool.query(`SELECT name, messages::int, conflicts::int FROM device ORDER BY name`);
  const archived = (await archivedMessages(bench.pool)).map(({ position: { partition, offset }, body }) => [
    partition,
    offset,
    body,
  ]);
  return [rows, rates.rows, letters.rows, sources.rows, devices.rows, archived, await bench.readings()];
}

/** Delivers the rest of every partition at the same moment, as a log does; what fails comes again. */
async function deliverTogether(rig: Rig): Promise<void> {
  const all = [...bench.log.parts.keys()];
  for (;;) {
    const begins = await Promise.all(all.map((partition) => rig.begin(partition)));
    const left = all.filter((partition) => begins[partition]! < bench.log.endOf(partition));
    if (left.length === 0) return;
    await Promise.allSettled(left.map((one) => rig.batch(one, begins[one]!, bench.log.endOf(one))));
  }
}

test(
  "partitions handled as one come out as each by itself does, whatever fails meanwhile",
  { timeout: 240_000 },
  async () => {
    const fault = fc.constantFrom<Fault | null>(null, "archive", "twins", "beforeCommit", "afterCommit");
    await fc.assert(
      fc.asyncProperty(rounds, fc.array(fault, { minLength: 4, maxLength: 4 }), async (given, faults) => {
        const run = async (deliver: (rig: Rig, fault: Fault | null) => Promise<void>) => {
          await bench.renew();
          await bench.pool.query(`INSERT INTO source (name, kind, answer) VALUES ('barn', 'generic', 'webhook')`);
          const rig = await bench.rig();
          for (const [i, round] of given.entries()) {
            for (const [partition, messages] of round.entries()) for (const one of messages) append(partition, one);
            await deliver(rig, faults[i]!);
          }
          return stored();
        };
        const alone = await run((rig) => rig.drain());
        const together = await run((rig, next) => {
          rig.faults.next = next;
          return deliverTogether(rig);
        });
        expect(together).toEqual(alone);
      }),
      { numRuns: 25 },
    );
  },
);

test("what comes at the same moment is one transaction", async () => {
  const rig = await bench.rig();
  for (const partition of bench.log.parts.keys()) append(partition, { device: 1, at: 0, a: 1, bad: false });
  await deliverTogether(rig);
  const { rows } = await bench.pool.query(
    "SELECT count(DISTINCT xmin::text)::int AS n, count(*)::int AS of FROM pipeline_position",
  );
  expect(rows).toEqual([{ n: 1, of: PARTITIONS }]);
});

test("a device in two partitions, and a record that makes the worker fail, cost the others nothing", async () => {
  const archive = createPostgresMessageArchive(bench.pool);
  const store: typeof archive.store = async (messages) => {
    if (messages.some(({ body }) => Buffer.from(body as Uint8Array).includes("poison")))
      throw new TypeError("x is not a function");
    await archive.store(messages);
  };
  const rig = await bench.rig({ archive: { store } });
  bench.log.append(0, { device: "d", time: T, readings: { a: 1 } });
  bench.log.append(1, { device: "d", time: T, readings: { a: 1 } });
  bench.log.append(2, { device: "other", time: T, readings: { a: 1 }, note: "poison" });
  await Promise.all([0, 1, 2].map((partition) => rig.begin(partition)));
  const first = await Promise.allSettled([0, 1, 2].map((partition) => rig.batch(partition, 0, 1)));
  expect(first.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
  expect(await bench.totals()).toMatchObject({ messages: 2, readings: 1, duplicates: 1, deadLetters: 0 });
  await deliverTogether(rig);
  expect(await bench.totals()).toMatchObject({ messages: 3, readings: 1, duplicates: 1, deadLetters: 1 });
});
