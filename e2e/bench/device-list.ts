import { parseArgs } from "node:util";
import { migrate } from "@/server/postgres/migrate";
import { composeApiAlone } from "./api-alone";
import { machine, markdownTable, median } from "./report";
import { scratchPostgres } from "./scratch-postgres";

const METRICS = ["battery", "temperature", "humidity", "pressure", "vibration", "current", "door", "rssi"];
/** Longer than values are kept, in milliseconds: each question looks at every twin. */
const APART_MS = 2100;

const QUESTIONS = [
  "listDevices?sort=id&limit=50",
  "listDevices?sort=value:battery&limit=50",
  "listDevices?sort=-value:temperature&limit=50&site=site-3",
  "listDevices?sort=value:battery&limit=50&where=battery < 20 and site = site-3",
  "listDevices?sort=id&limit=50&where=silent >= 1 h and battery < 50",
  "getFleetOrder?sort=value:battery&rows=40",
  "getFleetOrder?sort=id&rows=40&search=42",
  "getFleetSummary?sort=value:battery",
] as const;

/** How long the server takes to list a large fleet, by columns and by metrics' latest values, with nothing kept from before. */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: { devices: { type: "string", default: "100000" }, rounds: { type: "string", default: "7" } },
  });
  const [devices, rounds] = [Number(values.devices), Number(values.rounds)];
  const postgres = await scratchPostgres();
  try {
    await migrate(postgres.connectionString);
    const { pool } = postgres;
    await pool.query(`INSERT INTO site (name) SELECT 'site-' || i FROM generate_series(1, 20) i`);
    await pool.query(
      `INSERT INTO device (name, site_id, type, messages, last_seen)
       SELECT 'device-' || lpad(i::text, 6, '0'), 1 + i % 20, 'type-' || i % 5, i, now() - random() * interval '2 h' FROM generate_series(1, $1::int) i`,
      [devices],
    );
    await pool.query(`INSERT INTO metric (name, kind) SELECT name, 'number' FROM unnest($1::text[]) name`, [METRICS]);
    await pool.query(
      // As the adapter writes them.
      `INSERT INTO device_twin (device, event_time, state) SELECT d.name, now(), (SELECT '{' || string_agg(
         '"' || m || '":[' || round((random() * 100)::numeric, 2) || ',' || (1767225600000 + d.id) || ']', ',') || '}'
         FROM unnest($1::text[]) m WHERE d.id > 0)::json FROM device d`,
      [METRICS],
    );
    await pool.query("ANALYZE");
    const { api, close } = await composeApiAlone(postgres.connectionString);
    const rows: [string, string, string][] = [];
    for (const question of QUESTIONS) {
      const [verb, query] = question.split("?") as ["listDevices", string];
      const times: number[] = [];
      for (let round = 0; round <= rounds; round++) {
        await new Promise((resolve) => setTimeout(resolve, APART_MS));
        const began = performance.now();
        const answer = await api.handle(verb, new Request(`http://here/api?${encodeURI(query)}`), {});
        const text = await answer.text();
        if (answer.status !== 200) throw new Error(text);
        // The first round warms up.
        if (round > 0) times.push(performance.now() - began);
      }
      rows.push([question, `${Math.round(median(times))} ms`, `${Math.round(Math.max(...times))} ms`]);
    }
    console.log(`${machine()}\n${devices} devices\n\n${markdownTable(["asked", "median", "worst"], rows)}`);
    await close();
  } finally {
    await postgres.stop();
  }
  return 0;
}
