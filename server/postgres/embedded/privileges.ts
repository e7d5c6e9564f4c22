import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, readFileSync, statSync } from "node:fs";
import { bareEnvironment } from "@/server/config/bare-environment";
import { StartError } from "../start-error";

/** The way to run PostgreSQL's programs: the command in front, and the owner their files need. */
export interface Launch {
  readonly prefix: readonly string[];
  /** Null: whoever runs this process. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
  /** True if the system stops the program when this process dies, however it dies. */
  readonly diesWithParent: boolean;
  /** True if it has the rights of root to read files. */
  readonly mayReadAll: boolean;
}

/**
 * PostgreSQL refuses to run as root: then it gets another user, without any of root's rights. That user must be let into the data
 * folder; where it can't get there at all, below folders that only root may enter, it keeps what it needs of root's rights for that.
 * On Linux it is also told to stop when this process dies.
 * @param postgres the server's program.
 * @throws StartError when it is root and no way works here.
 */
export function chooseLaunch(postgres: string, dataDir: string): Launch {
  const runs = (prefix: readonly string[], ...program: readonly string[]) => {
    const [command = "", ...args] = [...prefix, ...program];
    return spawnSync(command, args, { stdio: "ignore", env: bareEnvironment() }).status === 0;
  };
  const works = (prefix: readonly string[]) => runs(prefix, postgres, "-V");
  const dying = ["setpriv", "--pdeathsig", "INT", "--"];
  if (process.getuid?.() !== 0) {
    const diesWithParent = process.platform === "linux" && works(dying);
    return { prefix: diesWithParent ? dying : [], owner: null, diesWithParent, mayReadAll: false };
  }
  const owner = findUser("postgres") ?? findUser("nobody") ?? { uid: 65534, gid: 65534 };
  const asUser = (...rights: string[]) => [
    ...["setpriv", "--reuid", String(owner.uid), "--regid", String(owner.gid), "--clear-groups"],
    ...[...rights, "--pdeathsig", "INT", "--"],
  ];
  const plain = asUser("--inh-caps", "-all", "--no-new-privs");
  letIn(dataDir, owner.gid);
  if (works(plain) && runs(plain, "test", "-x", dataDir))
    return { prefix: plain, owner, diesWithParent: true, mayReadAll: false };
  const withRight = (right: string) => {
    const caps = `-all,+${right}`;
    return asUser("--securebits", "+no_setuid_fixup", "--inh-caps", caps, "--ambient-caps", caps);
  };
  const ownNamespace = ["unshare", "--user", "--map-user=65534", "--map-group=65534", "--"];
  const root = { uid: 0, gid: 0 };
  // Containers often have only the last of these rights to give.
  const others = [
    { prefix: withRight("dac_read_search"), owner, diesWithParent: true },
    { prefix: [...ownNamespace, ...dying], owner: root, diesWithParent: true },
    { prefix: ownNamespace, owner: root, diesWithParent: false },
    { prefix: withRight("dac_override"), owner, diesWithParent: true },
  ];
  const found = others.find(({ prefix }) => works(prefix));
  if (found) return { ...found, mayReadAll: true };
  throw new StartError(
    "The embedded PostgreSQL can't run as root here",
    "PostgreSQL refuses to run as root, and neither setpriv nor unshare (util-linux) could give it another user.",
    "Run Fieldwatch as a normal user, install util-linux, or set DATABASE_URL to a PostgreSQL of your own.",
  );
}

/** Lets a group pass through a folder of root's, to what it owns inside; what else is in there it can neither list nor, by its own modes, read. */
function letIn(folder: string, gid: number): void {
  const { mode, uid } = statSync(folder);
  const isOpen = (mode & 0o001) !== 0;
  if (isOpen || uid !== 0) return;
  chownSync(folder, 0, gid);
  chmodSync(folder, (mode & 0o7700) | 0o010);
}

function findUser(name: string): { uid: number; gid: number } | undefined {
  try {
    const line = readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .find((entry) => entry.startsWith(`${name}:`));
    const [, , uid, gid] = line?.split(":") ?? [];
    return uid && gid ? { uid: Number(uid), gid: Number(gid) } : undefined;
  } catch {
    return undefined;
  }
}
