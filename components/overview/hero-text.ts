import type { HealthAnswer } from "@/server/contracts/health";
import { counted } from "@/server/domain/counted";
import { type Mark, probeMark } from "../ui/state-mark";

/** The verdict as the overview shows it. */
export interface HeroText {
  readonly mark: Mark;
  /** The one sentence to read. */
  readonly what: string;
  /** RFC 3339, or null when it isn't known. */
  readonly since: string | null;
  /** The consequence for the data. */
  readonly means: string;
  /** Other trouble, in words; null when there is none. */
  readonly others: string | null;
  /** True if somebody should look. */
  readonly isTrouble: boolean;
}

/**
 * Says how things are; `hasAnswer` is false when the server doesn't answer, since `answeredAt` (epoch ms; 0: never).
 * @param fires whether an alert does: then not all is good, though nothing is wrong with Fieldwatch.
 */
export function heroText(
  health: HealthAnswer | undefined,
  hasAnswer: boolean,
  answeredAt: number,
  fires = false,
): HeroText | null {
  if (!hasAnswer) {
    return {
      mark: "failing",
      what: "The server does not answer",
      since: answeredAt > 0 ? new Date(answeredAt).toISOString() : null,
      means: "What it has accepted is stored; values here may be old",
      others: null,
      isTrouble: true,
    };
  }
  if (!health) return null;
  const { status, parts, probes } = health;
  const count = (wanted: string) => probes.filter((probe) => probe.status === wanted).length;
  const [failing, warning] = [count("fail"), count("warn")];
  const isTrouble = status === "fail" || status === "warn";
  // One of them is the sentence itself.
  const moreFailing = failing - (status === "fail" ? 1 : 0);
  const moreWarning = warning - (status === "warn" ? 1 : 0);
  const others = [
    ...(moreFailing > 0 ? [counted(moreFailing, "more probe fails", "more probes fail")] : []),
    ...(moreWarning > 0 ? [counted(moreWarning, "probe warns", "probes warn")] : []),
  ];
  return {
    mark: probeMark(status),
    what: fires && status === "pass" ? "The pipeline is good" : parts.what,
    since: parts.since,
    means: parts.means,
    others: isTrouble && others.length > 0 ? others.join(", ") : null,
    isTrouble,
  };
}
