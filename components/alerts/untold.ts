import type { AlertMessages } from "@/server/contracts/notifications";
import type { Verdict } from "@/server/domain/notifications/verdict";
import { EVENT_WORDS } from "./event-words";

type Verdicts = AlertMessages["verdicts"];

/** Why nobody is told, where that isn't simply so for what happened. */
const WHY: Readonly<Partial<Record<Verdict, (by: string | null) => string>>> = {
  silenced: (by) => `silenced${by === null ? "" : ` by “${by}”`}`,
  maintenance: (by) => `in maintenance${by === null ? "" : ` “${by}”`}`,
  inhibited: () => "the alert of its site is told instead",
  acknowledged: () => "somebody has it in hand",
  "no-route": () => "no route takes it",
  "channel-off": () => "the channels of its route are off",
};

/** Something that happened to an alert of which nobody was told. */
interface Untold {
  readonly event: number;
  readonly what: string;
  readonly why: string;
  /** How often it happened again right afterwards, for the same reason. */
  readonly more: number;
}

/** Finds what nobody was told of, in order. What is never told, such as notes, is left out. */
export function untoldOf(verdicts: Verdicts): Untold[] {
  const untold: Untold[] = [];
  for (const { event, kind, verdict, by } of verdicts) {
    const why = verdict === null ? undefined : WHY[verdict]?.(by);
    if (why === undefined || NEVER_TOLD.has(kind)) continue;
    const what = (EVENT_WORDS[kind] ?? kind).toLowerCase();
    const last = untold.at(-1);
    if (last?.what === what && last.why === why) untold[untold.length - 1] = { ...last, more: last.more + 1 };
    else untold.push({ event, what, why, more: 0 });
  }
  return untold;
}

/** Acknowledgements and notes are news for few channels: that nobody was told of them is no loss. */
const NEVER_TOLD = new Set(["recovering", "note", "rule-changed", "child", "acknowledged", "unacknowledged"]);

/** What to say where there is no message. */
export function nobodyTold(verdicts: Verdicts): string {
  return verdicts.some(({ verdict }) => verdict !== null && verdict !== "grouped" && verdict !== "rate-limited")
    ? "Nobody was told."
    : "Nothing is decided yet about whom to tell.";
}
