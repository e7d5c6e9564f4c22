import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  /** Resident memory, bytes; shared pages count in each process that has them. */
  readonly rss: number;
  /** Proportional share of resident memory, bytes; null where not asked for or not told. */
  readonly pss: number | null;
}

/** `root` and all below it, parents first. Proportional memory is asked for only when wanted: the kernel works hard for it. */
export function treeOf(root: number, options: { pss?: boolean } = {}): ProcessInfo[] {
  const all = existsSync("/proc/self/stat") ? fromProc() : fromPs();
  const tree: ProcessInfo[] = all.filter((one) => one.pid === root);
  for (const parent of tree) tree.push(...all.filter((one) => one.parent === parent.pid));
  return options.pss === true ? tree.map((one) => ({ ...one, pss: pssOf(one.pid) })) : tree;
}

/** The process of one role in a running product. */
export function processOf(
  tree: readonly ProcessInfo[],
  role: "worker" | "web" | "intake" | "simulator" | "postgres",
): ProcessInfo | undefined {
  if (role === "postgres")
    return tree.find((one) => /\/postgres(\.exe)?\b.* -D /.test(one.command) && !/setpriv|unshare/.test(one.command));
  const named = new RegExp(`main\\.mjs ${role}\\b`);
  return tree.find((one) => named.test(one.command) || (role === "web" && one.command.startsWith("next-server")));
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !existsSync(`/proc/${pid}/stat`) || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** Whether a process that was sent SIGSTOP does nothing any more: on a busy machine its threads go on for a while. Where it can't be told, it counts as such. */
export function standsStill(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).every((thread) => {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8");
      return "TtZX".includes(stat.charAt(stat.lastIndexOf(")") + 2));
    });
  } catch {
    return true;
  }
}

/** Ends processes at once, as a power cut would. Those already gone don't matter. */
export function killNow(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

function fromProc(): ProcessInfo[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (fields[0] === "Z") return [];
      const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      return [{ pid: Number(name), parent: Number(fields[1]), command, rss: Number(fields[21]) * 4096, pss: null }];
    } catch {
      return []; // It ended while being looked at.
    }
  });
}

function pssOf(pid: number): number | null {
  try {
    const match = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"));
    return match ? Number(match[1]) * 1024 : null;
  } catch {
    return null;
  }
}

function fromPs(): ProcessInfo[] {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,rss=,args="], {
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  }).split("\n");
  return lines.flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(line);
    return match
      ? [
          {
            pid: Number(match[1]),
            parent: Number(match[2]),
            rss: Number(match[3]) * 1024,
            command: match[4] ?? "",
            pss: null,
          },
        ]
      : [];
  });
}
