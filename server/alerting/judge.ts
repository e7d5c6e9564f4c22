import type { PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import { step } from "@/server/domain/alerts/step";
import type { CommitBatch, Sample } from "@/server/ports/commit-batch";
import { comingOf } from "@/server/ports/reading-blocks";
import { isStateOnly } from "@/server/domain/message";
import { readMark } from "@/server/domain/resend-mark";
import { type ActiveRule, readActiveRules } from "./active-rules";
import { judgeSample, type Recheck, settle } from "./judge-sample";
import { type Compile, createCompile, withUnwatched } from "./compiled";
import { loadWatched, type ReadBlocks } from "./load";
import { noteRechecks } from "./rechecks";
import type { Instance, Watched } from "./watched";
import { writeDecisions } from "./write";

/** Devices that are remembered, at some kilobytes each; above that all are forgotten. */
const MOST_WATCHED = 200_000;

/**
 * Makes what judges a batch's new readings by the alert rules, in the transaction that writes them: what is decided is decided once. It remembers
 * devices; what is remembered holds as long as nobody else judged them, which their mark says.
 */
export function createJudge(readBlocks: ReadBlocks) {
  let rules: { readonly epoch: number; readonly active: readonly ActiveRule[]; readonly compile: Compile } | null =
    null;
  const remembered = new Map<number, Watched>();

  return async (tx: PoolClient, batch: CommitBatch): Promise<void> => {
    const { rulesEpoch, devices, mark, written } = batch;
    if (rules?.epoch !== rulesEpoch) {
      const active = await readActiveRules(tx);
      rules = { epoch: rulesEpoch, active, compile: createCompile(active) };
      remembered.clear();
    }
    if (rules.active.length === 0) return;
    const loading = { rules: rules.active, compile: rules.compile, readBlocks };
    const changed = new Map<Instance, Watched>();
    const rechecks = new Map<string, Recheck>();

    const cold: number[] = [];
    for (const [id, { judged }] of devices) if (remembered.get(id)?.mark !== judged) cold.push(id);
    await load(cold);
    const { added } = written;
    const late = (metric: number, { deviceId, time }: Sample) => noteLate(rechecks, deviceId, metric, time);
    for (let i = 0, first = 0; i < added.length; i++) {
      const { deviceId } = added[i]!;
      if (added[first]!.deviceId !== deviceId) first = i;
      const watched = remembered.get(deviceId);
      if (!watched) continue;
      if (judgeSample(watched, added[i]!, changed, late)) continue;
      // It has a metric that it hadn't when it was loaded: once more from its first reading on.
      for (const [instance, of] of changed) if (of === watched) changed.delete(instance);
      await load([deviceId]);
      learn(remembered.get(deviceId)!, added, first);
      i = first - 1;
    }
    hear(batch, remembered, changed);
    await writeDecisions(tx, changed);
    for (const [instance, watched] of changed) watched.forgetNormal(instance);
    await noteRechecks(tx, [...rechecks.values()]);
    // Should the transaction fail, nobody has this mark, and all of it is read again.
    for (const id of devices.keys()) {
      const watched = remembered.get(id);
      if (watched) watched.mark = mark;
    }

    async function load(ids: readonly number[]): Promise<void> {
      if (ids.length === 0) return;
      if (remembered.size + ids.length > MOST_WATCHED) remembered.clear();
      const coming = comingOf(batch.written, new Set(ids));
      const wanted = ids.map((id) => ({ id, mark: -1, until: devices.get(id)!.latest }));
      for (const [id, watched] of await loadWatched(tx, wanted, { ...loading, coming }, changed))
        remembered.set(id, watched);
    }
  };
}

function noteLate(rechecks: Map<string, Recheck>, deviceId: number, metric: number, time: EpochMs): void {
  const key = `${deviceId} ${metric}`;
  const one = rechecks.get(key);
  if (!one) rechecks.set(key, { deviceId, metric, from: time, to: time });
  else [one.from, one.to] = [Math.min(one.from, time), Math.max(one.to, time)];
}

/** Metrics that a device's readings have, though the catalog doesn't know it, are watched by no rule. */
function learn(watched: Watched, added: readonly Sample[], first: number): void {
  for (let i = first; i < added.length && added[i]!.deviceId === watched.id; i++)
    watched.compiled = withUnwatched(watched.compiled, added[i]!.metrics);
}

/** Devices that were told of for their silence are silent no more. */
function hear(
  { devices, messages }: CommitBatch,
  remembered: ReadonlyMap<number, Watched>,
  changed: Map<Instance, Watched>,
): void {
  const silent = new Set<number>();
  for (const id of devices.keys()) {
    const watched = remembered.get(id);
    if (!watched?.isRemembering) continue;
    for (const instance of watched.remembered) if (isSilence(instance)) silent.add(id);
  }
  if (silent.size === 0) return;
  for (const { deviceId, record, message } of messages) {
    // A dead letter sent again is a person's doing.
    if (!silent.has(deviceId) || isStateOnly(message) || readMark(record.headers) !== null) continue;
    const watched = remembered.get(deviceId)!;
    for (const instance of watched.remembered) {
      if (!isSilence(instance)) continue;
      const [state, events] = step(instance.state!, { kind: "heard", time: record.ingestTime }, instance.judged);
      instance.events.push(...events);
      settle(watched, instance, state, changed);
      if (events.length > 0) changed.set(instance, watched);
    }
  }
}

/** True for one that was told of silence. */
function isSilence({ judged, state }: Instance): boolean {
  return state !== null && judged.conditions.length === 0;
}
