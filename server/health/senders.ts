import { counted } from "@/server/domain/counted";
import { OWN_SOURCE } from "@/server/domain/source";
import { patienceOf, type Rhythm } from "@/server/domain/source-silence";
import type { EpochMs } from "@/server/domain/terms";
import { type Finding, pass, type Probe } from "./probe";

/** What doors have counted of a source that is enabled and has sent something. */
export interface SenderSeen extends Rhythm {
  readonly source: string;
  /** Messages taken, and things refused, since it is there. */
  readonly accepted: number;
  readonly refused: number;
  /** What was refused last; null for nothing. */
  readonly lastError: {
    readonly at: EpochMs;
    readonly path: string;
    readonly reason: string;
    readonly detail: string;
  } | null;
  /** When somebody changed it last, which may have mended what was refused before. */
  readonly updatedAt: EpochMs;
}

/** The share of what came in these last minutes that may be refused, of so many at least. */
const WINDOW_MS = 10 * 60_000;
const MOST_SHARE = 0.1;
const FEWEST_REFUSED = 10;
/** So often what was counted is kept, to be compared with. */
const KEEP_MS = 60_000;

/** What was counted of sources at a moment. */
export interface Snapshot {
  readonly at: EpochMs;
  readonly counts: ReadonlyMap<string, Pick<SenderSeen, "accepted" | "refused">>;
}

/** What comes from sources: whether it can be read, and comes as usual. It asks no more often than other probes, and keeps ten minutes of counts. */
export function sendersProbe(read: () => Promise<readonly SenderSeen[]>, now: () => EpochMs): Probe {
  let kept: Snapshot[] = [];
  return {
    ...{ name: "sources.senders", title: "What sources send", group: "Sources", timeoutMs: 3000 },
    async run() {
      const seen = await read();
      const at = now();
      kept = kept.filter((one) => at - one.at <= WINDOW_MS);
      const finding = judgeSenders(seen, kept[0] ?? null, at);
      if (kept.length === 0 || at - kept.at(-1)!.at >= KEEP_MS) kept.push(snapshotOf(seen, at));
      return finding;
    },
  };
}

/** What is to be compared with later. Exported for its test. */
export function snapshotOf(seen: readonly SenderSeen[], at: EpochMs): Snapshot {
  return { at, counts: new Map(seen.map(({ source, accepted, refused }) => [source, { accepted, refused }])) };
}

/** Judges what was seen. @param before the oldest counts of the last minutes; null for none. Exported for its test. */
export function judgeSenders(seen: readonly SenderSeen[], before: Snapshot | null, now: EpochMs): Finding {
  const refusing = seen
    .map((one) => ({ one, late: since(one, before) }))
    .filter(({ one, late }) => isTooMuch(late) && (one.lastError?.at ?? 0) > one.updatedAt)
    .sort((a, b) => b.late.refused - a.late.refused);
  // The telemetry route's own can't be disabled where nobody uses it; its devices tell of their silence.
  const silent = seen
    .filter((one) => one.source !== OWN_SOURCE && now - one.lastSeen > patienceOf(one))
    .sort((a, b) => b.lastSeen - a.lastSeen);
  const [worst] = refusing;
  if (worst !== undefined) {
    const { one, late } = worst;
    const share = Math.round((100 * late.refused) / (late.refused + late.accepted));
    const { path, reason, detail } = one.lastError!;
    return {
      status: "warn",
      summary: `${refusing.length === 1 ? `${one.source} sends` : `${named(refusing.map((each) => each.one.source))} send`} what can't be read.`,
      cause: `${counted(late.refused, "refusal")} of ${one.source} in the last minutes, ${share} % of what it sent; the last: ${path === "" ? "" : `${path}: `}${reason}, ${detail}`,
      fix: fixOf(one.source),
    };
  }
  const [latest] = silent;
  if (latest !== undefined) {
    const minutes = (ms: number) => counted(Math.max(1, Math.round(ms / 60_000)), "minute");
    const error = latest.lastError;
    return {
      status: "warn",
      summary: `Nothing comes from ${named(silent.map(({ source }) => source))}.`,
      cause: `${latest.source} sent last ${minutes(now - latest.lastSeen)} ago; by its rhythm ${minutes(patienceOf(latest))} would be long.${error === null ? "" : ` Refused last: ${error.reason}, ${error.detail}`}`,
      fix: `See whether the sender is there, and has a key and the address of this server: \`/sources/${latest.source}\`. Disable the source if nothing is to come any more.`,
    };
  }
  if (seen.length === 0) return pass("No source has sent anything yet.");
  return pass(`${counted(seen.length, "source")} ${seen.length === 1 ? "sends" : "send"} as usual.`);
}

function fixOf(source: string): string {
  if (source === OWN_SOURCE)
    return `See what it sent last: \`/sources/${source}\`. Mend the sender, or give it a source whose mapping reads what it sends: \`/sources\`.`;
  return `See its last payload and mend its mapping: \`/sources/${source}\`. What was kept waits as dead letters, to be resent by the mended mapping: \`/dead-letters?source=${source}\`.`;
}

function since({ source, accepted, refused }: SenderSeen, before: Snapshot | null) {
  const then = before?.counts.get(source);
  // One that is new since then has sent all of it since.
  if (before === null) return { accepted: 0, refused: 0 };
  return { accepted: accepted - (then?.accepted ?? 0), refused: refused - (then?.refused ?? 0) };
}

function isTooMuch({ accepted, refused }: Pick<SenderSeen, "accepted" | "refused">): boolean {
  return refused >= FEWEST_REFUSED && refused >= MOST_SHARE * (refused + accepted);
}

function named(names: readonly string[]): string {
  return names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
}
