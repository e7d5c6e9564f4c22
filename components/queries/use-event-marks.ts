import { useMemo } from "react";
import type { EpochMs } from "@/server/domain/terms";
import type { TimeMark } from "../ui/time-chart-data";
import { useMarks } from "./events";

/** What stands at the moment it happened; alerts are shaded, and silence is a gap anyway. */
const WORDS: Readonly<Record<string, string>> = { note: "Note", deployment: "Deployed", process: "Restart" };
/** The least share of the range between two marks, whose words would lie over each other else. */
const LEAST_APART = 0.08;

/** Marks are looked through in such steps, so that a live chart keeps those it has. */
const STEP_MS = 30_000;

/** The notes, deployments and restarts to mark on charts of some devices, or of a site; of all there are unless given. */
export function useEventMarks(
  of: { readonly devices?: readonly string[]; readonly site?: string },
  from: EpochMs,
  to: EpochMs,
): readonly TimeMark[] {
  const marks = useMarks({ ...of, from, to });
  const [begin, end] = [Math.floor(from / STEP_MS) * STEP_MS, Math.ceil(to / STEP_MS) * STEP_MS];
  return useMemo(() => {
    const found: TimeMark[] = [];
    for (const { kind, from: time } of [...marks].sort((a, b) => a.from - b.from)) {
      const label = WORDS[kind];
      if (label === undefined || time < begin || time > end) continue;
      if (time - (found.at(-1)?.time ?? -Infinity) >= (end - begin) * LEAST_APART) found.push({ time, label });
    }
    return found;
  }, [marks, begin, end]);
}
