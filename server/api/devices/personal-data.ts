import type { Pool } from "pg";
import { z } from "zod";
import { Personal } from "@/server/access/audit/personal";
import { findDevice } from "@/server/catalog/devices";
import { findPersonalDevices } from "@/server/catalog/persons";
import { text } from "@/server/contracts/common";
import { PERSON_LABELS } from "@/server/domain/device-labels";
import type { Sites } from "@/server/domain/access";
import type { DeadLetters } from "@/server/ports/dead-letters";
import type { DeviceTwins } from "@/server/ports/device-twins";
import type { MessageArchive } from "@/server/ports/message-archive";
import type { PrismaClient } from "@/server/postgres/prisma";
import type { ColdReader } from "@/server/readings/cold/reader";
import { exportRows } from "@/server/readings/reading-export";
import { exportTextRuns } from "@/server/readings/text-history";
import { toInstant } from "../instant";
import { invalid } from "../parse";
import { ProblemError } from "../problem";
import { fileAnswer, NO_PARAMETERS, verb } from "../verb";
import { within } from "../within";
import { noDevice } from "./id";

interface Deps {
  readonly pool: Pool;
  readonly prisma: PrismaClient;
  readonly cold: ColdReader;
  readonly archive: Pick<MessageArchive, "find">;
  readonly twins: Pick<DeviceTwins, "get">;
  readonly deadLetters: Pick<DeadLetters, "find">;
}

interface OneDevice {
  readonly key: number;
  readonly name: string;
}

/** Messages and dead letters read at a time. */
const PAGE = 500;
const name = text(512).min(1);

export const exportPersonalData = verb(
  {
    method: "GET",
    path: "/api/v1/personal-data.jsonl",
    access: "administer",
    bySite: true,
    audited: "seen",
    summary: "All that is stored about a device, or about a person, as JSON lines",
    description:
      `Of a person: of every device that has the name as the value of a label ${PERSON_LABELS.join(" or ")}, or is at a site of theirs without a label person of its own. Each line has a \`kind\`: device, readings (a row a time, a value a metric), ` +
      'text (what a field of words said from its first message that said so to the last; null where it changed too often to be kept), past (what it was before), limit (of quality, its own), quality (its scores of a day), finding (of quality), odd, event, alert, notification (its words are null where it tells of other devices, too), deadLetter or message (exactly as received). Left out: words that people wrote of other things in which the name stands, such as rules, silences, saved views and the audit record. The last line is `{"kind":"end"}`: an answer without it was not complete.',
    params: NO_PARAMETERS,
    query: z.object({
      device: name.optional().describe("The device"),
      person: name.optional().describe("The person, instead"),
    }),
    answer: fileAnswer,
    status: 200,
    problems: ["not-found", "cold-storage-unavailable"],
    file: { contentType: "application/x-ndjson", schema: { type: "string" } },
  },
  (deps: Deps) =>
    async (ctx, { query: { device, person }, note }) => {
      if ((device === undefined) === (person === undefined))
        throw invalid([{ at: "device", message: "or person must be given, not both" }]);
      const devices =
        device === undefined
          ? await findPersonalDevices(deps.pool, person!, ctx.sites)
          : [
              await within(
                ctx,
                (sites) => findDevice(deps.prisma, device, sites),
                () => noDevice(device),
                () => device,
              ),
            ];
      if (devices.length === 0)
        throw new ProblemError(
          "not-found",
          "No device is this person's: none at your sites has a label of them, nor has its site.",
        );
      note({
        target: new Personal(device ?? person!, null),
        detail: { asked: { by: device === undefined ? "person" : "device", devices: devices.map((one) => one.name) } },
      });
      return { name: "personal-data.jsonl", text: linesOf(deps, devices, ctx.sites, ctx.now) };
    },
);

async function* linesOf(deps: Deps, devices: readonly OneDevice[], sites: Sites, now: number): AsyncGenerator<string> {
  yield line({ kind: "about", time: toInstant(now), devices: devices.map((one) => one.name) });
  for (const device of devices) {
    yield* rowsOf(deps, device);
    yield* readingsOf(deps, device, sites);
    yield* textsOf(deps, device);
    yield* lettersOf(deps, device.name, sites);
    yield* messagesOf(deps, device.name);
  }
  yield line({ kind: "end" });
}

/** SQL: the rows of tables that have some for each of a device's series, by the kind they are told as. */
const OF_SERIES = Object.entries({
  limit: "quality_limit",
  quality: "quality_day",
  finding: "quality_flag",
  odd: "odd_stretch",
})
  .map(
    ([
      kind,
      table,
    ]) => `SELECT '${kind}', to_jsonb(t) - 'device_id' - 'metric_id' || jsonb_build_object('metric', m.name)
     FROM ${table} t LEFT JOIN metric m ON m.id = t.metric_id WHERE t.device_id = $1`,
  )
  .join(" UNION ALL ");

/** What the catalog, quality, oddness, events, alerts and notifications have of it, and its latest values. */
async function* rowsOf({ pool, twins }: Deps, { key, name: device }: OneDevice): AsyncGenerator<string> {
  const { rows } = await pool.query<{ kind: string; row: object }>(
    `SELECT 'device' AS kind, jsonb_build_object('name', d.name, 'site', s.name, 'sitePerson', s.person, 'type', d.type, 'notes', d.notes, 'firstSeen', d.first_seen, 'lastSeen', d.last_seen,
         'messages', d.messages, 'labels', (SELECT jsonb_object_agg(l.key, l.value) FROM device_label l WHERE l.device_id = d.id),
         'units', (SELECT jsonb_object_agg(m.name, u.unit) FROM device_unit u JOIN metric m ON m.id = u.metric_id WHERE u.device_id = d.id)) AS row
     FROM device d LEFT JOIN site s ON s.id = d.site_id WHERE d.id = $1
     UNION ALL
     SELECT 'past', to_jsonb(p) - 'device_id' FROM device_past p WHERE p.device_id = $1
     UNION ALL
     ${OF_SERIES}
     UNION ALL
     SELECT 'notification', jsonb_build_object('channel', c.name, 'occasion', n.occasion, 'status', n.status, 'madeAt', n.made_at, 'sentAt', n.sent_at,
         'title', CASE WHEN n.alert_ids <@ own.ids THEN n.title END, 'body', CASE WHEN n.alert_ids <@ own.ids THEN n.body END)
     FROM (SELECT array_agg(id) AS ids FROM alert WHERE device_id = $1 OR device_name = $2) AS own
     JOIN notification n ON n.alert_ids && own.ids LEFT JOIN channel c ON c.id = n.channel_id
     UNION ALL
     SELECT 'event', to_jsonb(e) - 'device_id' - 'site_id' FROM event e WHERE e.device_id = $1 OR e.device_name = $2
     UNION ALL
     SELECT 'alert', to_jsonb(a) - 'device_id' - 'site_id' - 'metric_id' FROM alert a WHERE a.device_id = $1 OR a.device_name = $2`,
    [key, device],
  );
  for (const { kind, row } of rows) yield line({ kind, device, row });
  const twin = (await twins.get([device])).get(device);
  const latest = [...(twin?.values ?? [])].map(([field, { value, eventTime }]) => [
    field,
    { value, time: toInstant(eventTime) },
  ]);
  yield line({ kind: "latest", device, values: Object.fromEntries(latest) });
}

async function* readingsOf(
  { pool, cold }: Deps,
  { key, name: device }: OneDevice,
  sites: Sites,
): AsyncGenerator<string> {
  const { rows: metrics } = await pool.query<{ id: number; name: string; unit: string | null }>(
    `SELECT m.id, m.name, coalesce(u.unit, m.unit) AS unit FROM device_metric p JOIN metric m ON m.id = p.metric_id
     LEFT JOIN device_unit u ON u.device_id = p.device_id AND u.metric_id = m.id WHERE p.device_id = $1 ORDER BY m.id`,
    [key],
  );
  const { rows: ends } = await pool.query<{ from: number | null; to: number | null }>(
    `SELECT (extract(epoch FROM least(min(f), min(c))) * 1000)::float8 AS from, (extract(epoch FROM greatest(max(t), max(e))) * 1000)::float8 AS to
     FROM (SELECT (SELECT date_trunc('hour', min(time), 'UTC') FROM sample WHERE device_id = $1) AS f, (SELECT min(min_time) FROM cold_device WHERE device_id = $1) AS c,
       (SELECT last_event_time FROM device WHERE id = $1) AS t, (SELECT max(max_time) FROM cold_device WHERE device_id = $1) AS e) AS ends`,
    [key],
  );
  const { from, to } = ends[0]!;
  if (from === null || to === null || metrics.length === 0) return;
  yield line({ kind: "metrics", device, metrics: metrics.map(({ name: metric, unit }) => ({ metric, unit })) });
  const wanted = { sites, device: key, metrics: metrics.map(({ id }) => id), from, to: to + 1 };
  for await (const rows of exportRows(pool, "raw", wanted, cold))
    for (const { time, cells } of rows) {
      const values = cells.flatMap((cell, i) => (cell === null ? [] : [[metrics[i]!.name, cell.last] as const]));
      yield line({ kind: "readings", device, time: toInstant(time), values: Object.fromEntries(values) });
    }
}

async function* textsOf({ pool }: Deps, { key, name: device }: OneDevice): AsyncGenerator<string> {
  for await (const { field, from, to, value } of exportTextRuns(pool, key))
    yield line({ kind: "text", device, field, from: toInstant(from), to: toInstant(to), value });
}

async function* lettersOf({ deadLetters }: Deps, device: string, sites: Sites): AsyncGenerator<string> {
  for (let after: { ingestTime: number; id: string } | undefined; ;) {
    const page = await deadLetters.find({ sites, device, limit: PAGE, ...(after && { after }) });
    for (const { id, reason, detail, ingestTime, raw, status } of page)
      yield line({
        ...{ kind: "deadLetter", device, id, reason, detail, status, time: toInstant(ingestTime) },
        raw: Buffer.from(raw).toString("utf8"),
      });
    if (page.length < PAGE) return;
    after = page.at(-1)!;
  }
}

async function* messagesOf({ archive }: Deps, device: string): AsyncGenerator<string> {
  for (let after: { ingestTime: number; partition: number; offset: number } | undefined; ;) {
    const page = await archive.find({ device, limit: PAGE, ...(after && { after }) });
    for (const { ingestTime, body } of page) yield line({ kind: "message", device, time: toInstant(ingestTime), body });
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = { ingestTime: last.ingestTime, ...last.position };
  }
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
