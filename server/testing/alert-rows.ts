import type { Pool } from "pg";

/** What an alert under test is of; the rest is as usual. */
interface AlertParts {
  readonly device?: string;
  readonly site?: string;
  readonly rule?: string;
  readonly severity?: "warning" | "critical";
  readonly parent?: number;
  readonly at?: number;
}

/** Writes alerts and their events as those who decide about them do. */
export function alertRows(pool: Pool) {
  async function idOf(table: "site" | "metric" | "device", name: string): Promise<number> {
    const more = table === "metric" ? [", kind, unit", ", 'number', '°C'"] : ["", ""];
    const { rows } = await pool.query<{ id: number }>(
      `INSERT INTO ${table} (name${more[0]}) VALUES ($1${more[1]}) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id`,
      [name],
    );
    return rows[0]!.id;
  }
  async function ruleOf(name: string): Promise<number> {
    const { rows } = await pool.query<{ id: number }>(
      `INSERT INTO alert_rule (name, spec, created_by, updated_by) VALUES ($1, '{"kind": "silence"}', 'test', 'test')
       ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id`,
      [name],
    );
    return rows[0]!.id;
  }
  const own = {
    /** An alert that begins to fire, with its event. @returns its id. */
    async fire(parts: AlertParts = {}): Promise<number> {
      const [id] = await own.fireMany(1, parts);
      return id!;
    },

    /** Alerts of so many devices, decided in one transaction. */
    async fireMany(count: number, parts: AlertParts = {}): Promise<number[]> {
      const {
        device = "press-07",
        site = "north",
        rule = "too hot",
        severity = "warning",
        parent = null,
        at = Date.now(),
      } = parts;
      const [siteId, metricId, ruleId] = [
        await idOf("site", site),
        await idOf("metric", "temperature"),
        await ruleOf(rule),
      ];
      const names = Array.from({ length: count }, (_, i) => (count === 1 ? device : `${device}-${i}`));
      const { rows } = await pool.query<{ id: number }>(
        `WITH devices AS (
           INSERT INTO device (name, site_id) SELECT name, $2 FROM unnest($1::text[]) name ON CONFLICT (name) DO UPDATE SET site_id = excluded.site_id RETURNING id, name
         ), alerts AS (
           INSERT INTO alert (rule_id, rule_version, device_id, site_id, metric_id, device_name, site_name, metric_name, severity, state,
             started_at, fired_at, decided_at, first_value, worst_value, last_value, parent_id)
           SELECT $3, 1, id, $2, $4, name, $5, 'temperature', $6, 'firing', to_timestamp($7 / 1000.0), to_timestamp($7 / 1000.0),
             to_timestamp($7 / 1000.0), 81, 82.5, 82, $8 FROM devices
           RETURNING id, fired_at
         )
         INSERT INTO alert_event (alert_id, kind, severity, at, decided_at, value) SELECT id, 'fired', $6, fired_at, fired_at, 81 FROM alerts ORDER BY id RETURNING alert_id AS id`,
        [names, siteId, ruleId, metricId, site, severity, at, parent],
      );
      return rows.map(({ id }) => id);
    },

    /** An alert of a whole site of so many devices. @returns its id. */
    async fireSite(site: string, of: number, at = Date.now()): Promise<number> {
      const { rows } = await pool.query<{ id: number }>(
        `WITH made AS (
           INSERT INTO alert (rule_id, rule_version, site_id, site_name, severity, state, started_at, fired_at, decided_at)
           SELECT $1, 1, $2, $3, 'critical', 'firing', t, t, t FROM to_timestamp($4 / 1000.0) t RETURNING id, severity, fired_at
         )
         INSERT INTO alert_event (alert_id, kind, severity, at, detail)
         SELECT id, 'fired', severity, fired_at, jsonb_build_object('of', $5::integer) FROM made RETURNING alert_id AS id`,
        [await ruleOf("site cut off"), await idOf("site", site), site, at, of],
      );
      return rows[0]!.id;
    },

    /** Ends alerts, with their events. */
    async resolve(ids: number | readonly number[], at = Date.now()): Promise<void> {
      await pool.query(
        `WITH over AS (
           UPDATE alert SET state = 'resolved', ended_at = to_timestamp($2 / 1000.0) WHERE id = ANY ($1::bigint[]) RETURNING id, severity, ended_at
         )
         INSERT INTO alert_event (alert_id, kind, severity, at) SELECT id, 'resolved', severity, ended_at FROM over`,
        [[ids].flat(), at],
      );
    },

    async acknowledge(id: number, by = "Ada"): Promise<void> {
      await pool.query(`UPDATE alert SET acknowledged_at = now(), acknowledged_by = $2 WHERE id = $1`, [id, by]);
      await own.event(id, "acknowledged");
    },

    async event(id: number, kind: string, at = Date.now()): Promise<void> {
      await pool.query(
        `INSERT INTO alert_event (alert_id, kind, severity, at) SELECT id, $2, severity, to_timestamp($3 / 1000.0) FROM alert WHERE id = $1`,
        [id, kind, at],
      );
    },

    /** How many events have which verdict; throws unless each that was handled has exactly one. */
    async verdicts(): Promise<Record<string, number>> {
      const { rows } = await pool.query<{ verdict: string | null; n: number; handled: boolean }>(
        `SELECT v.verdict, e.handled_at IS NOT NULL AS handled, count(*)::integer AS n
         FROM alert_event e LEFT JOIN alert_verdict v ON v.event_id = e.id GROUP BY 1, 2`,
      );
      if (rows.some(({ verdict, handled }) => (verdict !== null) !== handled))
        throw new Error("handled without a verdict, or the other way");
      return Object.fromEntries(rows.map(({ verdict, n }) => [verdict ?? "unhandled", n]));
    },
  };
  return own;
}
