import { readAlerts } from "@/server/alerting/alerts";
import { findSilent } from "@/server/alerting/silence";
import { readBlocks } from "@/server/readings/blocks";
import { addRule } from "./alert-rig";
import type { TestDatabase } from "./database";
import { notifierRig } from "./notifier-rig";
import { createRig, createScriptedLog } from "./pipeline-rig";

const S = 1000;
const AFTER_MS = 60 * S;

/** How a storm went: what was told, what is listed, and how long the slowest of each took, in milliseconds. */
interface StormReport {
  /** Messages of each channel until the sites were back, and after. */
  readonly told: readonly number[];
  readonly toldBack: readonly number[];
  readonly titles: readonly string[];
  readonly beneath: number;
  readonly single: number;
  readonly decideMs: number;
  readonly listMs: number;
  readonly backMs: number;
}

/** Lets a part of the sites fall silent within a minute, be told of by two channels, and come back. @param look how often silence is looked at */
export async function playStorm(
  db: Pick<TestDatabase, "pool" | "connectionString">,
  folder: string,
  { devices, sites, cut, look }: { devices: number; sites: number; cut: number; look: number },
): Promise<StormReport> {
  const { pool } = db;
  const rig = notifierRig(db as TestDatabase, folder);
  const channels = [
    await rig.channel("desk", "webhook", { url: "http://127.0.0.1:9/desk" }),
    await rig.channel("phone", "webhook", { url: "http://127.0.0.1:9/phone" }),
  ];
  await rig.route("all", channels, { waitMs: 30 * S, intervalMs: 300 * S, repeatMs: 4 * 3600 * S });
  await addRule(pool, "Device silent", { kind: "silence", afterMs: AFTER_MS });
  await addRule(pool, "Site cut off", { kind: "share-of-site" });
  const begun = rig.clock.now;
  await pool.query(
    `INSERT INTO site (name) SELECT 'site-' || n FROM generate_series(1, $1) n;`.replace("$1", String(sites)),
  );
  await pool.query(
    `INSERT INTO device (name, site_id, last_seen, last_event_time)
     SELECT 'device-' || n, s.id, t.at, t.at FROM generate_series(0, $1 - 1) n JOIN site s ON s.name = 'site-' || (n % $2 + 1),
       LATERAL (SELECT CASE WHEN n % $2 < $3 THEN to_timestamp($4 + 60.0 * n / $1) ELSE to_timestamp($4 + 86400) END AS at) t`,
    [devices, sites, cut, begun / S - 60],
  );
  const deps = { pool, readBlocks, staleMs: 600 * S };
  let decideMs = 0;
  const decide = async () => {
    const from = performance.now();
    await findSilent(deps, rig.clock.now);
    decideMs = Math.max(decideMs, performance.now() - from);
  };
  /** Lets time go on, as far as deciding and telling go. */
  const pass = async (seconds: number, step: number) => {
    for (let left = seconds; left > 0; left -= step) {
      rig.clock.now += step * S;
      await decide();
      await rig.turn();
    }
  };
  const told = async () => {
    const { rows } = await pool.query<{ n: number }>(
      `SELECT count(n.id)::integer AS n FROM channel c LEFT JOIN notification n ON n.channel_id = c.id GROUP BY c.id ORDER BY c.id`,
    );
    return rows.map(({ n }) => n);
  };
  await pass(70, look);
  await pass(600, 60);
  const before = await told();
  const from = performance.now();
  const page = await readAlerts(pool, { sites: "all", state: "open", parent: "none", limit: 101 });
  const listMs = performance.now() - from;
  const { rows } = await pool.query<{ beneath: number; single: number }>(
    `SELECT count(parent_id)::integer AS beneath, (count(*) FILTER (WHERE parent_id IS NULL))::integer AS single FROM alert WHERE device_id IS NOT NULL`,
  );
  const log = createScriptedLog("storm", 1);
  for (let n = 0; n < devices; n++)
    if (n % sites < cut)
      log.append(0, { device: `device-${n}`, time: rig.clock.now, readings: { level: 1 } }, rig.clock.now);
  const worker = await createRig(pool, log);
  const backFrom = performance.now();
  await worker.drain(5000);
  const backMs = performance.now() - backFrom;
  await pass(20, 10);
  // Away for good a day from now: they would be silent again.
  await pool.query(`UPDATE device SET last_seen = last_seen + interval '1 day'`);
  await pass(900, 60);
  const { rows: titled } = await pool.query<{ title: string }>(`SELECT DISTINCT title FROM notification ORDER BY 1`);
  return {
    told: before,
    toldBack: (await told()).map((n, i) => n - before[i]!),
    titles: titled.map(({ title }) => title),
    ...rows[0]!,
    ...{ decideMs, listMs: page.length > 100 ? Infinity : listMs, backMs },
  };
}
