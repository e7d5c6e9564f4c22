import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { bareEnvironment } from "@/server/config/bare-environment";
import { StartError } from "../start-error";
import type { Binaries } from "./binaries";
import { diskFull } from "./data-folder";
import type { Launch } from "./privileges";

/** Name of the database, and of the superuser who owns it, by whom nothing but migrations is done. */
export const DATABASE = "fieldwatch";

const PASSWORD_FILE = "fieldwatch.password";
const RUNTIME_PASSWORD_FILE = "runtime.password";

/**
 * Makes the PostgreSQL folder, whole or not at all, and hands it to the user PostgreSQL runs as.
 * @returns the folder, its password, and whether it is new.
 */
export async function prepareCluster(
  dataDir: string,
  binaries: Binaries,
  launch: Launch,
): Promise<{ folder: string; password: string; created: boolean }> {
  const folder = path.join(dataDir, "postgres");
  const created = !existsSync(path.join(folder, "PG_VERSION"));
  if (created) {
    refuseStrangers(folder);
    // An earlier start may have been killed; its initdb may still be writing for a moment.
    for (const name of readdirSync(dataDir).filter((entry) => entry.startsWith("postgres.new"))) {
      rmSync(path.join(dataDir, name), { recursive: true, force: true, maxRetries: 10 });
    }
    const unfinished = path.join(dataDir, `postgres.new-${process.pid}`);
    mkdirSync(unfinished, { mode: 0o700 });
    giveTo(unfinished, launch.owner);
    const password = randomBytes(24).toString("base64url");
    await initialise(dataDir, unfinished, password, binaries, launch);
    writeFileSync(path.join(unfinished, PASSWORD_FILE), password, { mode: 0o600 });
    giveTo(path.join(unfinished, PASSWORD_FILE), launch.owner);
    renameSync(unfinished, folder);
  } else if (launch.owner && lstatSync(folder).uid !== launch.owner.uid) {
    giveTo(folder, launch.owner); // It was made by another user, or with another way to run as root.
  }
  const version = readFileSync(path.join(folder, "PG_VERSION"), "utf8").trim();
  if (version !== "18") {
    throw new StartError(
      "The data folder holds another PostgreSQL's data",
      `${folder} was made by PostgreSQL ${version}; this Fieldwatch brings PostgreSQL 18.`,
      "Run the Fieldwatch that made it, or choose another folder: `FIELDWATCH_DATA_DIR=/path/to/folder npm start`",
    );
  }
  return { folder, password: readOwnerPassword(dataDir), created };
}

/** The password of the owner of the cluster in a data folder. @throws Error with code ENOENT when there is no cluster. */
export function readOwnerPassword(dataDir: string): string {
  return readFileSync(path.join(dataDir, "postgres", PASSWORD_FILE), "utf8").trim();
}

/** The password of the role everything but migrations is done by; made when it isn't there. Like all files there it is the server's, which reads them for a backup. */
export function runtimePassword(dataDir: string, owner: Launch["owner"]): string {
  const file = path.join(dataDir, "postgres", RUNTIME_PASSWORD_FILE);
  if (!existsSync(file)) {
    writeFileSync(`${file}.new`, randomBytes(24).toString("base64url"), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
  giveTo(file, owner);
  return readFileSync(file, "utf8").trim();
}

function refuseStrangers(folder: string): void {
  if (!existsSync(folder) || readdirSync(folder).length === 0) return;
  throw new StartError(
    "The data folder isn't Fieldwatch's",
    `${folder} has files, but not those of a PostgreSQL.`,
    "Choose another folder: `FIELDWATCH_DATA_DIR=/path/to/folder npm start`",
  );
}

async function initialise(
  dataDir: string,
  folder: string,
  password: string,
  binaries: Binaries,
  launch: Launch,
): Promise<void> {
  const passwordFile = `${folder}.password`;
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (launch.owner) chownSync(passwordFile, launch.owner.uid, launch.owner.gid);
  const args = [
    "-D",
    folder,
    "-U",
    DATABASE,
    "--pwfile",
    passwordFile,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--no-instructions",
  ];
  args.push("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8");
  const [command = binaries.initdb, ...rest] = [...launch.prefix, binaries.initdb, ...args];
  try {
    const { code, output } = await run(command, rest);
    if (code === 0) return;
    const { bavail, bsize } = statfsSync(dataDir);
    if (bavail * bsize < 1048576 * 16) throw diskFull(dataDir, "no space is left there.");
    throw new StartError(
      "The embedded PostgreSQL could not be set up",
      `initdb ended with code ${code}:\n${output.trim().split("\n").slice(-8).join("\n")}`,
      "Fix what it says, or set DATABASE_URL to a PostgreSQL of your own.",
    );
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

function run(command: string, args: string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], detached: true, env: bareEnvironment() });
    // The whole group is ended, as initdb runs programs of its own.
    const killGroup = () => {
      try {
        if (process.platform === "win32") child.kill();
        else if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // Gone already.
      }
    };
    process.on("exit", killGroup);
    let output = "";
    const collect = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-8192));
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.on("error", reject);
    child.on("close", (code) => {
      process.off("exit", killGroup);
      resolve({ code, output });
    });
  });
}

function giveTo(target: string, owner: Launch["owner"]): void {
  if (!owner) return;
  lchownSync(target, owner.uid, owner.gid);
  if (!lstatSync(target).isDirectory()) return;
  for (const name of readdirSync(target)) giveTo(path.join(target, name), owner);
}
