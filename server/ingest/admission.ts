import { withinOr } from "@/server/async/timeout";
import type { DecodedMessage } from "@/server/domain/message";
import type { Refusal } from "@/server/domain/reasons";
import { siteHeaders } from "@/server/domain/site-mark";
import type { EpochMs } from "@/server/domain/terms";
import type { Claimed, NameKind } from "./new-names";
import type { Sender } from "./sender";

/** A device of the catalog, as far as it decides who may speak for it. */
interface KnownDevice {
  readonly name: string;
  readonly siteId: number | null;
  /** Its site's name. */
  readonly site: string | null;
}

/** What a site is called. */
interface SiteNames {
  readonly name: string;
  /** Names it had before: messages may say them still. */
  readonly others: readonly string[];
}

export interface AdmissionDeps {
  /** Reads those of the named devices that are in the catalog. */
  readonly devices: (names: readonly string[]) => Promise<readonly KnownDevice[]>;
  /** Reads those of the named metrics that are in the catalog. */
  readonly metrics: (names: readonly string[]) => Promise<readonly { readonly name: string }[]>;
  /** Reads the names of sites, and of each those it had before. */
  readonly siteNames: (ids: readonly number[]) => Promise<readonly SiteNames[]>;
  /** Asks for names that are in no catalog yet. */
  readonly claim: (sender: string, kind: NameKind, names: readonly string[]) => Promise<Claimed>;
  /** True for an error of a database that is away for now. */
  readonly isAway: (error: unknown) => boolean;
}

/** The outcome for one message: what to write beside it into the log, or why its sender may not send it. */
export type Verdict =
  | { readonly ok: true; readonly headers: Readonly<Record<string, string>> | null }
  | ({ readonly ok: false; readonly retryAt: EpochMs | null } & Refusal);

/** Judges the messages of one request. */
export interface Judging {
  /** The outcome by what is remembered; null when the catalog has to be asked. */
  look(message: DecodedMessage): Verdict | null;
  /** Asks the catalog about messages on which `look` had nothing to say. @returns their outcomes, in order. */
  ask(messages: readonly DecodedMessage[]): Promise<readonly Verdict[]>;
}

/** Judges what senders may send, by the devices, sites and metrics there are; the worker, which sees them in the log's order, has the last word. */
export interface Admission {
  of(sender: Sender): Promise<Judging>;
  /** Asks again for what may have changed in the catalog. */
  forget(): void;
}

/** So long a name that was asked for counts as known without being in the catalog, which the worker brings it into. */
const CLAIMED_MS = 10_000;
/** Bounds of memory: names of devices and of metrics, and of either on their way into the catalog. */
const MOST_NAMES = 200_000;
/** A database that doesn't answer for so long counts as away. */
const PATIENCE_MS = 2000;

const YES: Verdict = { ok: true, headers: null };

export function createAdmission(deps: AdmissionDeps): Admission {
  let known = { devices: new Map<string, KnownDevice>(), metrics: new Set<string>() };
  let sites = new Map<string, readonly SiteNames[]>();
  const claimed: Record<NameKind, Map<string, number>> = { device: new Map(), metric: new Map() };
  /** Senders that may name no more for now, until when. */
  const full = new Map<string, EpochMs>();

  const isClaimed = (kind: NameKind, name: string) => (claimed[kind].get(name) ?? -Infinity) > performance.now();

  async function sitesOf({ sites: ids }: Sender): Promise<readonly SiteNames[] | null> {
    if (ids === "all") return null;
    const key = ids.join();
    const remembered = sites;
    const names = remembered.get(key) ?? (await deps.siteNames(ids));
    remembered.set(key, names);
    return names;
  }

  /** What `read` answers, or null while the database is away. */
  async function unlessAway<T>(read: Promise<T>): Promise<T | null> {
    const answer = read.catch((error: unknown) => {
      if (deps.isAway(error)) return null;
      throw error;
    });
    return withinOr(PATIENCE_MS, answer, null);
  }

  /** Notes which of `names` are new, and asks for those. @returns those that the sender may not name, and until when. */
  async function claim(
    sender: Sender,
    kind: NameKind,
    names: ReadonlySet<string>,
  ): Promise<ReadonlyMap<string, EpochMs>> {
    const fresh = [...names].filter((name) => !isClaimed(kind, name));
    if (fresh.length === 0) return new Map();
    const id = `${kind} ${sender.id}`;
    const fullUntil = full.get(id);
    if (fullUntil !== undefined && fullUntil > Date.now()) return new Map(fresh.map((name) => [name, fullUntil]));
    full.delete(id);
    const answer = await unlessAway(deps.claim(sender.id, kind, fresh));
    if (answer === null) return new Map();
    for (const name of answer.names) keepClaimed(claimed[kind], name, performance.now() + CLAIMED_MS);
    if (answer.fullUntil === null) return new Map();
    const until = answer.fullUntil;
    full.set(id, until);
    return new Map(fresh.flatMap((name) => (answer.names.has(name) ? [] : [[name, until] as const])));
  }

  return {
    async of(sender) {
      const own = await sitesOf(sender);
      const single = own?.length === 1 ? { ok: true as const, headers: siteHeaders(own[0]!.name) } : null;

      /** The outcome as far as device and site go. */
      function lookAtDevice({ device: name, site }: DecodedMessage, device: KnownDevice | undefined): Verdict {
        if (own === null) return YES;
        if (device !== undefined) {
          // A device without a site is nobody's of some sites: who takes it would see all that it sent before.
          if (device.site === null || sender.sites === "all" || !sender.sites.includes(device.siteId!))
            return notAllowed(`${name} is no device of ${listed(own)}`);
          return single ?? { ok: true, headers: siteHeaders(device.site) };
        }
        if (single !== null) return single;
        if (site !== undefined && own.some(({ name, others }) => name === site || others.includes(site)))
          return { ok: true, headers: siteHeaders(site) };
        return notAllowed(`${name} has no site yet: name one of ${listed(own)} in its message`);
      }

      /** Of the message before: one sender's messages mostly have the same names. */
      let settledNames: readonly string[] | null = null;

      return {
        look(message) {
          if (sender.device !== null && message.device !== sender.device)
            return notAllowed(`this key speaks for ${sender.device} alone`);
          if (!sender.isLimited && own === null) return YES;
          const device = known.devices.get(message.device);
          if (device === undefined && !isClaimed("device", message.device)) return null;
          const verdict = lookAtDevice(message, device);
          if (!verdict.ok) return verdict;
          if (settledNames !== null && sameNames(message.shape.names, settledNames)) return verdict;
          const { metrics } = known;
          for (const name of message.shape.names) if (!metrics.has(name) && !isClaimed("metric", name)) return null;
          settledNames = message.shape.names;
          return verdict;
        },

        async ask(messages) {
          const { devices, metrics } = known;
          const unknown = new Set(messages.flatMap(({ device }) => (devices.has(device) ? [] : [device])));
          const found = await unlessAway(unknown.size === 0 ? Promise.resolve([]) : deps.devices([...unknown]));
          if (devices.size > MOST_NAMES) devices.clear();
          for (const device of found ?? []) {
            devices.set(device.name, device);
            unknown.delete(device.name);
          }
          const allowed = messages.filter((message) => lookAtDevice(message, devices.get(message.device)).ok);
          const wanted = new Set(allowed.flatMap(({ shape }) => shape.names.filter((name) => !metrics.has(name))));
          const there = await unlessAway(wanted.size === 0 ? Promise.resolve([]) : deps.metrics([...wanted]));
          if (metrics.size > MOST_NAMES) metrics.clear();
          for (const { name } of there ?? []) {
            metrics.add(name);
            wanted.delete(name);
          }
          const none = new Map<string, EpochMs>();
          const fresh = new Set(allowed.flatMap(({ device }) => (unknown.has(device) ? [device] : [])));
          // Away, the database tells nothing of what is new: then all is taken, as without limits, and the worker judges.
          const isAway = found === null || there === null || !sender.isLimited;
          const refusedDevices = isAway ? none : await claim(sender, "device", fresh);
          const ofAllowed = new Set(
            allowed.flatMap(({ device, shape }) =>
              refusedDevices.has(device) ? [] : shape.names.filter((name) => wanted.has(name)),
            ),
          );
          const refusedMetrics = isAway ? none : await claim(sender, "metric", ofAllowed);
          return messages.map((message) => {
            const verdict = lookAtDevice(message, devices.get(message.device));
            if (!verdict.ok) return verdict;
            const deviceUntil = refusedDevices.get(message.device);
            if (deviceUntil !== undefined) return tooManyNew("device", message.device, deviceUntil);
            const metric = message.shape.names.find((name) => refusedMetrics.has(name));
            return metric === undefined ? verdict : tooManyNew("metric", metric, refusedMetrics.get(metric)!);
          });
        },
      };
    },
    forget() {
      // What is still being asked for goes to the memory that was dropped.
      known = { devices: new Map(), metrics: new Set() };
      sites = new Map();
    },
  };
}

function sameNames(some: readonly string[], others: readonly string[]): boolean {
  if (some.length !== others.length) return false;
  for (let i = 0; i < some.length; i++) if (some[i] !== others[i]) return false;
  return true;
}

function keepClaimed(names: Map<string, number>, name: string, until: number): void {
  if (names.size >= MOST_NAMES) names.delete(names.keys().next().value!);
  names.set(name, until);
}

function notAllowed(detail: string): Verdict {
  return { ok: false, reason: "notAllowed", detail, retryAt: null };
}

function tooManyNew(kind: NameKind, name: string, until: EpochMs): Verdict {
  const when = new Date(Math.ceil(until / 1000) * 1000).toISOString().replace(".000", "");
  const detail = `the ${kind} ${name} is new, and its sender has named as many new ${kind}s within the hour as it may: again from ${when}`;
  return { ok: false, reason: "tooManyNew", detail, retryAt: until };
}

function listed(sites: readonly SiteNames[]): string {
  return sites.length > 3 ? `the ${sites.length} sites of its sender` : sites.map(({ name }) => name).join(" or ");
}
