import { counted } from "@/server/domain/counted";
import type { SiteLive } from "@/server/domain/fleet-live";
import type { EpochMs } from "@/server/domain/terms";
import { type Finding, pass, type Probe } from "./probe";

/** The share of the devices usually live that may be missing: of the whole fleet, and of one site. Fewer devices than the least are no trouble of the fleet. */
const MOST_OF_FLEET = 0.2;
const MOST_OF_SITE = 0.5;
const FEWEST_MISSING = 3;
/** Beyond this lag nobody knows who is silent: what they sent may wait in the log. */
const LAG_SECONDS = 30;
/** So often what is seen is added to what is usual. */
const NOTE_MS = 60_000;
const LOOK_MS = 10_000;

export interface FleetProbeDeps {
  readonly read: (now: EpochMs) => Promise<readonly SiteLive[]>;
  readonly note: (now: EpochMs, sites: readonly SiteLive[]) => Promise<void>;
  /** Null: unknown. */
  readonly lagSeconds: () => Promise<number | null>;
  readonly now: () => EpochMs;
}

/** Devices send as usual, in the fleet and at each site. */
export function fleetProbe({ read, note, lagSeconds, now }: FleetProbeDeps): Probe {
  let looked: { at: EpochMs; sites: readonly SiteLive[] } | null = null;
  let noted = -Infinity;
  return {
    ...{ name: "fleet.devices", title: "Devices send as usual", group: "Pipeline", timeoutMs: 4000 },
    async run() {
      const at = now();
      if (looked === null || at - looked.at >= LOOK_MS) looked = { at, sites: await read(at) };
      const lag = await lagSeconds();
      const finding = judgeFleet(looked.sites, lag);
      // What is missing because it waits isn't what is usual.
      if (finding.status !== "unknown" && at - noted >= NOTE_MS) {
        noted = at;
        await note(at, looked.sites);
      }
      return finding;
    },
  };
}

/** Judges whether as many devices are live as usual. Exported for its test. */
export function judgeFleet(sites: readonly SiteLive[], lagSeconds: number | null): Finding {
  const fleet = { ...summed(sites), of: "" };
  if (fleet.known === 0) return pass("No device has reported yet.");
  if (lagSeconds === null || lagSeconds > LAG_SECONDS)
    return {
      status: "unknown",
      summary: "Who is silent isn't known.",
      cause: "What devices sent may wait in the event log.",
      fix: "First mend what keeps it from being handled: `/pipeline`.",
    };
  if (fleet.live === 0)
    return {
      status: "warn",
      since: Math.max(...sites.map(({ lastSeen }) => lastSeen)),
      summary: `${fleet.known === 1 ? "The only device isn't" : `None of ${counted(fleet.known, "device")} is`} live.`,
      cause: "Nothing has arrived for longer than devices may be quiet: they are off, or don't reach this server.",
      fix: "See who was heard last, and when: `/devices?state=silent`.",
    };
  const dropped = sites
    .filter(({ site }) => site !== null)
    .map((site) => ({ ...site, of: ` of ${site.site}` }))
    .filter((site) => isTooFew(site, MOST_OF_SITE))
    .sort((a, b) => b.usual - b.live - (a.usual - a.live));
  const [worst] = dropped;
  // A site that is gone says more than the share of the fleet that it is.
  const found = worst ?? (isTooFew(fleet, MOST_OF_FLEET) ? fleet : undefined);
  if (found === undefined) return pass(`${fleet.live} of ${counted(fleet.known, "device")} are live, as usual.`);
  const missing = Math.round(found.usual - found.live);
  const others = dropped.length > 1 ? `; ${counted(dropped.length - 1, "other site")} likewise` : "";
  const query = worst === undefined ? "" : `&site=${encodeURIComponent(worst.site!)}`;
  return {
    status: "warn",
    ...(found.fellAt === null ? {} : { since: found.fellAt }),
    summary: `${missing} of ${counted(Math.round(found.usual), "device")}${found.of} that usually send ${missing === 1 ? "doesn't" : "don't"}${others}.`,
    cause: "So many together have seldom a fault of their own: look at their network, power or gateway.",
    fix: `See who was heard last, and when: \`/devices?state=silent${query}\`.`,
  };
}

function isTooFew({ live, usual }: Pick<SiteLive, "live" | "usual">, most: number): boolean {
  const missing = usual - live;
  return missing >= FEWEST_MISSING - 0.5 && missing > usual * most;
}

function summed(sites: readonly SiteLive[]): Pick<SiteLive, "known" | "live" | "usual" | "fellAt"> {
  const of = (figure: (site: SiteLive) => number) => sites.reduce((sum, site) => sum + figure(site), 0);
  const fell = sites.flatMap(({ fellAt }) => fellAt ?? []).sort((a, b) => a - b);
  return {
    known: of(({ known }) => known),
    live: of(({ live }) => live),
    usual: of(({ usual }) => usual),
    fellAt: fell[Math.floor(fell.length / 2)] ?? null,
  };
}
