import { readFileSync } from "node:fs";

/** Processor time a process has used so far, in seconds; with `ended` also that of its children that have ended. Linux only. */
export function cpuSeconds(pid: number, { ended = true }: { readonly ended?: boolean } = {}): number {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return 0; // It has ended, and counts with its parent.
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // utime and stime, and those of children it has waited for, in ticks of 10 ms.
  return (ended ? [11, 12, 13, 14] : [11, 12]).reduce((sum, i) => sum + Number(fields[i]), 0) / 100;
}
