import type { PoolClient } from "pg";
import type { ShareOfSiteRule } from "@/server/domain/alerts/rule";
import { goOn } from "@/server/domain/alerts/go-on";
import { isRest, restState } from "@/server/domain/alerts/state";
import { step } from "@/server/domain/alerts/step";
import { lookAtSite, shareOf, type SilentDevice, type Storm } from "@/server/domain/alerts/storm";
import type { EpochMs } from "@/server/domain/terms";
import type { ActiveRule } from "./active-rules";
import { NOTHING } from "./compiled";
import { settle } from "./judge-sample";
import { countSilent, readSilent, readSiteDevices, readSiteStates, type SiteDevice, type SiteState } from "./sites";
import { type Instance, Watched } from "./watched";
import { noteChildren, writeDecisions } from "./write";

/** A device that has just fallen silent. */
export interface Fallen {
  readonly device: number;
  readonly site: number | null;
  readonly since: EpochMs;
}

type SiteRule = ActiveRule & { readonly spec: ShareOfSiteRule };

/** A silent device, and the alert that says so; null: that is about to be written. */
interface Silent extends SilentDevice {
  readonly site: number;
  readonly alert: string | null;
}

/** What there is to know of sites before it is decided about them. */
interface Sites {
  readonly rules: readonly SiteRule[];
  readonly states: readonly SiteState[];
  /** Names of the sites that are looked at. */
  readonly names: ReadonlyMap<number, string>;
  readonly silent: readonly Silent[];
  /** Devices of these sites that were heard once, and are watched for silence. */
  readonly devices: readonly SiteDevice[];
}

/**
 * Reads the sites about which there may be something to decide.
 * @param due devices that are about to be silent. @returns null where there is none
 */
export async function readSites(
  tx: PoolClient,
  rules: readonly ActiveRule[],
  due: readonly Fallen[],
): Promise<Sites | null> {
  const own = rules.filter((rule): rule is SiteRule => rule.spec.kind === "share-of-site");
  const states = await readSiteStates(tx);
  if (own.length === 0 && states.length === 0) return null;
  const silences = rules.filter(({ spec }) => spec.kind === "silence");
  const ids = silences.map(({ id }) => id);
  const counts = await countSilent(tx, ids);
  const before = new Map(counts);
  for (const { site } of due) if (site !== null) counts.set(site, (counts.get(site) ?? 0) + 1);
  const least = Math.min(...own.map(({ spec }) => spec.atLeast));
  const open = states.filter(({ state }) => state.alertId !== null);
  /** Each rule has an alert about all that is silent there, and no more has fallen silent. */
  const isSettled = (site: number) =>
    own.length > 0 &&
    counts.get(site) === before.get(site) &&
    own.every(({ id, version }) =>
      open.some(
        (one) =>
          one.site === site &&
          one.rule === id &&
          one.version === version &&
          one.state.seen[0]?.value === counts.get(site),
      ),
    );
  const wanted = [
    ...new Set([
      ...[...counts].filter(([, count]) => count >= least).map(([site]) => site),
      ...open.map(({ site }) => site),
    ]),
  ].filter((site) => own.length > 0 && !isSettled(site));
  const { names, devices } = await readSiteDevices(tx, wanted);
  return {
    ...{ rules: own, states: states.filter(({ site }) => !isSettled(site)), names },
    silent: wanted.length === 0 ? [] : await readSilent(tx, ids, wanted),
    devices: devices.filter(({ facts }) => silences.some((rule) => rule.selects(facts))),
  };
}

/** A rule's look at a site. */
interface Look {
  readonly rule: SiteRule;
  readonly site: number;
  readonly row: SiteState | null;
  readonly isOpen: boolean;
  readonly storm: Storm;
  /** All that is, or would be, beneath its alert. */
  readonly members: readonly Silent[];
}

function looks({ rules, states, names, silent, devices }: Sites, due: readonly Fallen[]): Look[] {
  return rules.flatMap((rule) =>
    [...names.keys()].flatMap((site) => {
      const own = new Set(devices.filter((one) => one.site === site && rule.selects(one.facts)).map(({ id }) => id));
      const row = states.find((one) => one.site === site && one.rule === rule.id) ?? null;
      const id = row?.state.alertId ?? null;
      const open = id === null ? null : { id, startedAt: row!.state.episode!.startedAt };
      const here = new Map<number, Silent>();
      for (const one of due)
        if (one.site === site && own.has(one.device)) here.set(one.device, { ...one, site, parent: null, alert: null });
      for (const one of silent) if (one.site === site && own.has(one.device)) here.set(one.device, one);
      const all = [...here.values()];
      const storm = lookAtSite(rule.spec, all, own.size, open);
      if (storm === null) return [];
      const members = all.filter(({ since, alert }) => since >= storm.from || (open !== null && alert === null));
      return [{ rule, site, row, isOpen: open !== null, storm, members }];
    }),
  );
}

function isStorm({ isOpen, storm }: Look): boolean {
  return isOpen || storm.silent >= storm.needed;
}

/** Devices whose alerts are to be beneath one of their site, though they fired before it. */
export function devicesToAdopt(sites: Sites, due: readonly Fallen[]): number[] {
  return looks(sites, due)
    .filter(isStorm)
    .flatMap(({ members }) => members.filter(isSingle).map(({ device }) => device));
}

function isSingle({ alert, parent }: Silent): boolean {
  return alert !== null && parent === null;
}

/**
 * Decides about sites of which much is silent: an alert of the site, and those of its devices beneath it. That is done in the transaction that
 * writes the devices' alerts, and before: whoever tells of them finds both or none.
 * @param due what has just fallen silent, or is about to. @param watermark up to when that is known
 * @param changed what is about to be written of devices. @param locked devices whose rows are locked
 */
export async function decideSites(
  tx: PoolClient,
  sites: Sites,
  {
    due,
    watermark,
    changed,
    locked,
  }: {
    readonly due: readonly Fallen[];
    readonly watermark: EpochMs;
    readonly changed: ReadonlyMap<Instance, Watched>;
    readonly locked: ReadonlySet<number>;
  },
): Promise<void> {
  const decided = new Map<Instance, Watched>();
  const looked = looks(sites, due).map((look) => ({ look, instance: decide(look, sites, watermark, decided) }));
  for (const row of sites.states)
    if (!looked.some(({ look }) => look.row === row)) leave(row, sites, watermark, decided);
  await writeDecisions(tx, decided);
  for (const { look, instance } of looked) {
    if (instance.state?.phase !== "firing") continue;
    const parent = instance.state.alertId!;
    const members = new Set(look.members.map(({ device }) => device));
    for (const [child, { id }] of changed)
      if (members.has(id) && child.events.some(({ kind }) => kind === "fired")) child.parent ??= parent;
    const earlier = look.members.filter((one) => isSingle(one) && locked.has(one.device));
    await adopt(
      tx,
      parent,
      earlier.map(({ alert }) => alert!),
    );
  }
}

/** Decides about a site by one rule. @returns how the rule stands for it then */
function decide(
  { rule, site, row, isOpen, storm }: Look,
  sites: Sites,
  watermark: EpochMs,
  decided: Map<Instance, Watched>,
): Instance {
  const judged = shareOf(rule.spec, storm.needed, 0);
  const kept = row?.state ?? null;
  const instance: Instance = { rule, judged, metric: 0, state: kept, kept, events: [] };
  const watched = siteOf(site, sites.names);
  const before = kept ?? restState(judged);
  const time = Math.max(watermark, before.at ?? 0);
  const reading = { kind: "reading", time, metrics: [0], values: [storm.silent] } as const;
  if (!isOpen && storm.silent < storm.needed) {
    if (row !== null) leave(row, sites, watermark, decided);
    return instance;
  }
  if (!isOpen) {
    // It has been so since the first of them fell silent; that it is so is known since now.
    const from = Math.max(Math.min(storm.from, time), before.at ?? 0);
    const lasting = shareOf(rule.spec, storm.needed, time - from);
    const [pending, first] = step(before, { ...reading, time: from }, lasting);
    const [firing, second] = step(pending, { kind: "tick", time }, lasting);
    const share = { silent: storm.silent, of: storm.of };
    instance.events.push(
      ...[...first, ...second].map((event) => (event.kind === "fired" ? { ...event, share } : event)),
    );
    settle(watched, instance, firing, decided);
  } else if (row!.version < rule.version) {
    const [replayed] = step(restState(judged), reading, judged);
    const [state, events] = goOn(before, replayed, time);
    instance.events.push(...events);
    settle(watched, instance, state, decided);
    decided.set(instance, watched);
  } else {
    const [state, events] = step(before, reading, judged);
    instance.events.push(...events);
    settle(watched, instance, state, decided);
    if (before.seen[0]!.value !== storm.silent) decided.set(instance, watched);
  }
  return instance;
}

/** What no rule is about any more is closed, never resolved; what is over is forgotten when its time has come. */
function leave(
  { site, rule: ruleId, version, state: kept }: SiteState,
  { rules, names }: Sites,
  watermark: EpochMs,
  decided: Map<Instance, Watched>,
): void {
  const rule = rules.find(({ id }) => id === ruleId);
  const isOpen = kept.alertId !== null;
  if (rule && !isOpen && !isRest(kept, watermark)) return;
  const spec: ShareOfSiteRule = {
    ...{ kind: "share-of-site", of: {}, atLeast: 2, share: 1, withinMs: 0, severity: "warning" },
  };
  const judged = shareOf(spec, 1, 0);
  const reason = rule ? "site removed" : "rule off or removed";
  const [, events] = step(kept, { kind: "close", time: Math.max(watermark, kept.at ?? 0), reason }, judged);
  const active = rule ?? { id: ruleId, version, spec, selects: () => false };
  const instance: Instance = { rule: active, judged, metric: 0, state: null, kept, events: [...events] };
  decided.set(instance, siteOf(site, names));
}

/** A site, as what decisions are written of. */
function siteOf(site: number, names: ReadonlyMap<number, string>): Watched {
  const facts = { name: "", site: names.get(site) ?? null, type: null, labels: {} };
  return new Watched(0, facts, site, NOTHING);
}

async function adopt(tx: PoolClient, parent: string, alerts: readonly string[]): Promise<void> {
  if (alerts.length === 0) return;
  const { rows } = await tx.query<{ id: string }>(
    `UPDATE alert SET parent_id = $1 WHERE id = ANY ($2::bigint[]) AND ended_at IS NULL AND parent_id IS NULL RETURNING id::text AS id`,
    [parent, alerts],
  );
  await noteChildren(
    tx,
    rows.map(({ id }) => id),
  );
}
