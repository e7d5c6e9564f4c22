import type { PoolClient } from "pg";
import { type AlertEvent, type AlertState, restState } from "@/server/domain/alerts/state";
import { step } from "@/server/domain/alerts/step";
import type { EpochMs } from "@/server/domain/terms";
import type { Sample } from "@/server/ports/commit-batch";
import { timeText } from "@/server/postgres/time-text";
import { samplesOf } from "@/server/ports/reading-blocks";
import { onDevices } from "./on-devices";
import { alone, type TurnDeps } from "./turn";
import { type Instance, isOfReadings, type Watched } from "./watched";

/** Late readings come in numbers: a stretch waits for more of them. */
const SETTLE_MS = 5000;
const HOUR = 3_600_000;
const DEVICES = 100;

/** A stretch of a device's event time. */
interface Stretch {
  readonly device: number;
  readonly from: EpochMs;
  readonly to: EpochMs;
}

/** An alert there is. */
interface Known {
  readonly id: string;
  readonly device: number;
  readonly rule: number;
  readonly metric: number;
  readonly startedAt: EpochMs;
  readonly endedAt: EpochMs | null;
}

/** An episode as it is found with all readings; `endedAt` is null while it is open. */
interface Found {
  readonly startedAt: EpochMs;
  readonly endedAt: EpochMs | null;
  readonly events: readonly AlertEvent[];
}

/**
 * Judges stretches again to which readings came late. Nothing that was decided is undone: what was missed is added and marked late, and an alert that
 * would not have been one gets a note. @returns whether there was any
 */
export async function recheckLate(deps: TurnDeps, settleMs = SETTLE_MS): Promise<boolean> {
  const some = await alone(deps, async (tx, loading) => {
    const stretches = await takeStretches(tx, settleMs);
    const back = Math.max(HOUR, ...loading.rules.map(({ spec }) => ("forMs" in spec ? 2 * spec.forMs : 0)));
    await onDevices(tx, [...stretches.keys()], loading, async (held, changed) => {
      const asked = held.flatMap(({ watched: { id }, latest }) =>
        latest === null ? [] : [{ device: id, from: stretches.get(id)!.from - back, to: latest + 1 }],
      );
      const samples = samplesOf(await deps.readBlocks(tx, asked));
      const known = await readKnown(tx, [...stretches.values()]);
      const wrong: Known[] = [];
      for (const { watched } of held)
        for (const instance of watched.instances) {
          if (!isOfReadings(instance.judged)) continue;
          const own = known.filter(
            ({ device, rule, metric }) =>
              device === watched.id && rule === instance.rule.id && metric === instance.metric,
          );
          const stretch = stretches.get(watched.id)!;
          const { state, found } = replayAll(instance, samples.get(watched.id) ?? []);
          for (const episode of found)
            if (meet(episode, stretch) && !own.some((one) => meet(one, spanOf(episode))))
              add(watched, instance, episode, state, changed);
          // What began before the stretch that was read can't be told.
          const told = own.filter((one) => one.startedAt >= stretch.from - back + HOUR / 2);
          wrong.push(...told.filter((one) => !found.some((episode) => meet(episode, spanOf(one)))));
        }
      await noteWrong(tx, wrong);
    });
    return stretches.size > 0;
  });
  return some === true;
}

/** Adds an episode that was missed. One that isn't over becomes the state from now on, unless there is one already. */
function add(
  watched: Watched,
  instance: Instance,
  { endedAt, events }: Found,
  state: AlertState,
  changed: Map<Instance, Watched>,
): void {
  if (endedAt !== null) changed.set({ ...instance, late: true, kept: null, state: null, events: [...events] }, watched);
  else if (instance.state === null || instance.state.phase === "normal" || instance.state.phase === "pending")
    changed.set({ ...instance, late: true, state, events: [...events] }, watched);
}

function replayAll({ judged }: Instance, samples: readonly Sample[]): { state: AlertState; found: Found[] } {
  let state = restState(judged);
  const found: Found[] = [];
  let open: AlertEvent[] = [];
  for (const sample of samples) {
    const [next, events] = step(state, { kind: "reading", ...sample }, judged);
    state = next;
    for (const event of events) {
      if (event.kind === "fired") open = [];
      open.push(event);
      if (event.kind !== "resolved" && event.kind !== "closed") continue;
      found.push({ startedAt: event.episode.startedAt, endedAt: event.episode.endedAt, events: open });
      open = [];
    }
  }
  if (state.phase === "firing" || state.phase === "recovering")
    found.push({ startedAt: state.episode!.startedAt, endedAt: null, events: open });
  return { state, found };
}

function spanOf({ startedAt, endedAt }: Pick<Found, "startedAt" | "endedAt">) {
  return { from: startedAt, to: endedAt ?? Infinity };
}

function meet(
  { startedAt, endedAt }: Pick<Found, "startedAt" | "endedAt">,
  { from, to }: Pick<Stretch, "from" | "to">,
): boolean {
  return startedAt <= to && (endedAt ?? Infinity) >= from;
}

async function takeStretches(tx: PoolClient, settleMs: number): Promise<Map<number, Stretch>> {
  const { rows } = await tx.query<Stretch>(
    `WITH ripe AS (
       SELECT device_id FROM alert_recheck GROUP BY 1 HAVING max(added_at) <= now() - make_interval(secs => $1) LIMIT ${DEVICES}),
     taken AS (DELETE FROM alert_recheck r USING ripe WHERE r.device_id = ripe.device_id RETURNING r.*)
     SELECT device_id AS device, (extract(epoch FROM min(from_time)) * 1000)::float8 AS from, (extract(epoch FROM max(to_time)) * 1000)::float8 AS to
     FROM taken GROUP BY 1`,
    [settleMs / 1000],
  );
  return new Map(rows.map((row) => [row.device, row]));
}

/** The alerts of these devices that touch an hour around the stretches, or lie within them. */
async function readKnown(tx: PoolClient, stretches: readonly Stretch[]): Promise<Known[]> {
  const { rows } = await tx.query<Known>(
    `SELECT a.id::text AS id, a.device_id AS device, a.rule_id AS rule, coalesce(a.metric_id, 0) AS metric,
       (extract(epoch FROM a.started_at) * 1000)::float8 AS "startedAt", (extract(epoch FROM a.ended_at) * 1000)::float8 AS "endedAt"
     FROM unnest($1::integer[], $2::timestamptz[], $3::timestamptz[]) AS n (device, since, until)
     JOIN alert a ON a.device_id = n.device AND a.started_at <= n.until AND coalesce(a.ended_at, 'infinity') >= n.since`,
    [
      stretches.map(({ device }) => device),
      stretches.map(({ from }) => timeText(from)),
      stretches.map(({ to }) => timeText(to)),
    ],
  );
  return rows;
}

async function noteWrong(tx: PoolClient, wrong: readonly Known[]): Promise<void> {
  if (wrong.length === 0) return;
  await tx.query(
    `INSERT INTO alert_event (alert_id, kind, severity, at, detail, handled_at)
     SELECT a.id, 'note', a.severity, a.fired_at, '{"reason": "late readings"}', now() FROM alert a
     WHERE a.id = ANY ($1::bigint[]) AND NOT EXISTS (
       SELECT FROM alert_event e WHERE e.alert_id = a.id AND e.kind = 'note' AND e.detail->>'reason' = 'late readings')`,
    [wrong.map(({ id }) => id)],
  );
}
