import { readFileSync } from "node:fs";

/**
 * Calls `onGone` once when the npm that started this process is gone: a SIGTERM or kill -9 to npm ends npm or its
 * shell, and nobody tells the program they ran.
 * @returns how to stop watching.
 */
export function watchParent(onGone: () => void): () => void {
  const before = ancestors();
  const timer = setInterval(() => {
    if (ancestors().join() === before.join()) return;
    clearInterval(timer);
    onGone();
  }, 500);
  timer.unref();
  return () => clearInterval(timer);
}

/** The parent, and npm behind it when the parent is npm's shell. */
function ancestors(): number[] {
  const parent = process.ppid;
  const above = readParent(parent);
  return above !== undefined && above.comm === "sh" && readParent(above.ppid)?.comm.startsWith("npm") === true
    ? [parent, above.ppid]
    : [parent];
}

function readParent(pid: number): { comm: string; ppid: number } | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const end = stat.lastIndexOf(")");
    return { comm: stat.slice(stat.indexOf("(") + 1, end), ppid: Number(stat.slice(end + 2).split(" ")[1]) };
  } catch {
    return undefined;
  }
}
