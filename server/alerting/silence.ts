import type { PoolClient } from "pg";
import { silenceOf } from "@/server/domain/alerts/judged";
import { silentSince, step } from "@/server/domain/alerts/step";
import type { EpochMs } from "@/server/domain/terms";
import { timeText } from "@/server/postgres/time-text";
import { settle } from "./judge-sample";
import { type Held, onDevices } from "./on-devices";
import { type Open, openFor, readOpen } from "./telemetry-open";
import { alone, type TurnDeps } from "./turn";

/** Gaps after which it is known how far apart a device's messages are. */
const GAPS_KNOWN = 20;
const LEAST_SILENCE_MS = 30_000;
/** Devices taken in one transaction. */
const DEVICES = 2000;

/** The silence that is unusual for a device: three times its longest of late. @param staleMs of one of which nothing better is known */
function usualSilence({ gaps, gapP99 }: Pick<Held, "gaps" | "gapP99">, staleMs: number): number {
  return gaps < GAPS_KNOWN || gapP99 === null ? staleMs : Math.max(LEAST_SILENCE_MS, 3 * gapP99);
}

/**
 * When a silence that began at `since` had lasted `afterMs`, counting only while messages were taken; null: it hasn't by `until`.
 * @param open the stretches in which they were
 */
function silentAt(open: readonly Open[], since: EpochMs, until: EpochMs, afterMs: number): EpochMs | null {
  if (openFor(open, since, until) < afterMs) return null;
  let end = since + afterMs;
  // Each look adds what was closed up to then, which may lie beyond another pause.
  for (;;) {
    const missing = afterMs - openFor(open, since, end);
    if (missing <= 0) return end;
    end += missing;
  }
}

/**
 * Finds devices that have been silent for too long. Only silence up to `watermark` counts, and only while messages were taken: an outage of ours
 * is no device's silence.
 */
export async function findSilent(deps: TurnDeps, watermark: EpochMs): Promise<void> {
  await alone(deps, async (tx, loading) => {
    let open: readonly Open[] | null = null;
    for (const rule of loading.rules) {
      const { spec } = rule;
      if (spec.kind !== "silence") continue;
      const candidates = await findCandidates(
        tx,
        rule.id,
        watermark - (spec.afterMs ?? Math.min(LEAST_SILENCE_MS, deps.staleMs)),
      );
      const silent = candidates.filter(
        (device) =>
          rule.selects(device) && device.lastSeen + (spec.afterMs ?? usualSilence(device, deps.staleMs)) <= watermark,
      );
      if (silent.length === 0) continue;
      open ??= await readOpen(tx, 0);
      const stretches = open;
      const due = silent.filter(
        (device) =>
          silentAt(stretches, device.lastSeen, watermark, spec.afterMs ?? usualSilence(device, deps.staleMs)) !== null,
      );
      const ids = due.slice(0, DEVICES).map(({ id }) => id);
      await onDevices(tx, ids, loading, (held, changed) => {
        for (const { watched, ...device } of held) {
          const instance = watched.silences.find((one) => one.rule.id === rule.id);
          if (!instance || device.lastSeen === null || instance.state?.phase === "firing") continue;
          const afterMs = spec.afterMs ?? usualSilence(device, deps.staleMs);
          const end = silentAt(stretches, device.lastSeen, watermark, afterMs);
          if (end === null) continue;
          const judged = silenceOf(spec, end - device.lastSeen);
          const fires = instance.state?.fires ?? [];
          const since = { ...silentSince(judged, device.lastSeen), fires };
          const [state, events] = step(since, { kind: "tick", time: end }, judged);
          instance.events.push(...events);
          settle(watched, instance, state, changed);
          changed.set(instance, watched);
        }
      });
    }
  });
}

interface Candidate extends Pick<Held, "gaps" | "gapP99"> {
  readonly id: number;
  readonly name: string;
  readonly site: string | null;
  readonly type: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly lastSeen: EpochMs;
}

/** Devices that were last heard of before, and of whose silence nobody was told yet. */
async function findCandidates(tx: PoolClient, rule: number, before: EpochMs): Promise<Candidate[]> {
  const { rows } = await tx.query<Candidate>(
    `SELECT d.id, d.name, s.name AS site, d.type, d.gaps, d.gap_p99 AS "gapP99", (extract(epoch FROM d.last_seen) * 1000)::float8 AS "lastSeen",
       coalesce((SELECT json_object_agg(l.key, l.value) FROM device_label l WHERE l.device_id = d.id), '{}') AS labels
     FROM device d LEFT JOIN site s ON s.id = d.site_id
     WHERE d.last_seen < $2 AND NOT EXISTS (
       SELECT FROM alert_state a WHERE a.device_id = d.id AND a.rule_id = $1 AND a.state->>'phase' = 'firing')`,
    [rule, timeText(before)],
  );
  return rows;
}
