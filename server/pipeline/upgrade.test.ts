import { expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { goBackBefore } from "@/server/testing/database";
import { pipelineBench } from "@/server/testing/pipeline-bench";

const bench = pipelineBench({ partitions: 1 });
const T = Date.UTC(2026, 0, 15, 10);

test("a dead letter that was on its way before settlements is settled, and what is settled already stays", async () => {
  await goBackBefore(bench.db, "20261128170500_replay_settlements");
  await bench.pool.query(
    `INSERT INTO site (name) VALUES ('north');
     INSERT INTO device (name, site_id, messages) VALUES ('d', 1, 3);
     INSERT INTO metric (name, kind) VALUES ('a', 'number');
     INSERT INTO sample_other (device_id, time, metrics, values) VALUES (1, '2026-01-15T09:00:00Z', '{1}', '{7}');
     INSERT INTO pipeline_position (cluster, topic, epoch, partition, next, messages, readings, duplicates, dead_letters)
       VALUES ('${bench.log.cluster}', 'iot.telemetry', 0, 0, 3, 3, 1, 0, 2);
     INSERT INTO dead_letter (id, log, partition, "offset", reason, detail, device, ingest_time, processed_time, raw, status, replays, history, changed_at)
     SELECT 'c/t/0/0/' || n || '/m', 'c/t/0', 0, n, 'futureTime', 'ahead', 'd', '2026-01-15', '2026-01-15', '{}', status, 1, ARRAY(SELECT json_array_elements(history::json)::text), now()
     FROM (VALUES
       (1, 'replaying', '[{"time":0,"kind":"sent","detail":"Sent again","edited":false}]'),
       (2, 'replayed', '[{"time":0,"kind":"sent","detail":"Sent again","edited":false},{"time":1,"kind":"stored","detail":"1 reading stored","edited":false}]')
     ) l (n, status, history)`,
  );
  await migrate(bench.db.connectionString);

  bench.log.parts[0]!.start = 3;
  bench.log.append(0, { device: "d", time: T, readings: { a: 8 } }, T, {
    "fieldwatch-replay-of": "c/t/0/0/1/m",
    "fieldwatch-replays": "1",
  });
  const rig = await bench.rig();
  await rig.drain();
  const letters = [...(await rig.deadLetters.find({ sites: "all", limit: 10 }))].sort((a, b) =>
    a.id.localeCompare(b.id),
  );
  expect(letters.map(({ status, resends, history }) => [status, resends, history.map(({ kind }) => kind)])).toEqual([
    ["resent", 1, ["sent", "stored"]],
    ["resent", 1, ["sent", "stored"]],
  ]);
  expect(letters[1]!.history[1]).toMatchObject({ time: 1, detail: "1 reading stored" });
  expect((await bench.pool.query("SELECT FROM resend_settlement")).rowCount).toBe(0);
  expect((await bench.readings()).map(({ value }) => value)).toEqual([7, 8]);
  expect(await bench.totals()).toMatchObject({ messages: 4, readings: 2, deadLetters: 2 });
});
