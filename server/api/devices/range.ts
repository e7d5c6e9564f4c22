import { parseEventTime } from "@/server/domain/time";
import { invalid } from "../parse";

const HOUR_MS = 3_600_000;

/** The range asked for, epoch milliseconds: to now and an hour long where nothing is said. @throws ProblemError */
export function rangeAsked(
  query: { readonly from?: string | undefined; readonly to?: string | undefined },
  now: number,
): { from: number; to: number } {
  const to = query.to === undefined ? now : moment("to", query.to);
  const from = query.from === undefined ? to - HOUR_MS : moment("from", query.from);
  if (from >= to) throw invalid([{ at: "from", message: "must be before `to`" }]);
  return { from, to };
}

/** Event times begin in 1970, and so does a range. */
function moment(at: string, text: string): number {
  const time = parseEventTime(text);
  if (time === null) throw invalid([{ at, message: "must be from 1970 to 9999" }]);
  return time;
}
