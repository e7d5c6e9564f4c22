import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync, realpathSync } from "node:fs";
import path from "node:path";
import { errorCode } from "../start-error";

/** True if the process runs. A zombie, which has ended but wasn't waited for, does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (errorCode(error) !== "EPERM") return false;
  }
  const stat = readStat(pid);
  return stat === undefined || (stat.state !== "Z" && stat.state !== "X");
}

/** Returns when the process started, in a form that only compares; undefined where the system doesn't tell (then only the id counts). */
export function startedAt(pid: number): string | undefined {
  return readStat(pid)?.started;
}

/** Process id in postmaster.pid of a PostgreSQL folder, and the state it says it is in; undefined without that file. */
export function readPostmaster(folder: string): { pid: number; ready: boolean; stopping: boolean } | undefined {
  try {
    const lines = readFileSync(path.join(folder, "postmaster.pid"), "utf8").split("\n");
    const pid = Math.abs(Number(lines[0]));
    const state = lines[7]?.trim();
    return Number.isInteger(pid) && pid > 0
      ? { pid, ready: state === "ready", stopping: state === "stopping" }
      : undefined;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** True if `pid` is really a PostgreSQL on `folder`, and not another process that got the same id since. */
export function isPostmasterOf(pid: number, folder: string): boolean {
  if (!isAlive(pid)) return false;
  try {
    if (process.platform === "linux") return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(folder);
    if (process.platform === "win32") return true;
    return execFileSync("ps", ["-p", String(pid), "-o", "command="], { encoding: "utf8" }).includes(folder);
  } catch (error) {
    // Not ours to look at: it has another user's rights, as a PostgreSQL started by root has.
    if (errorCode(error) === "EACCES" || errorCode(error) === "EPERM") return commandName(pid) === "postgres";
    return false;
  }
}

function commandName(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return undefined;
  }
}

function readStat(pid: number): { state: string; started: string } | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command, second and in brackets, may hold anything; the fields count from behind it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "", started: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}
