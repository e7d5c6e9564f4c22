import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { StartError } from "../start-error";

/** The way to run PostgreSQL's programs: the command in front, and the owner their files need. */
export interface Launch {
  readonly prefix: readonly string[];
  /** Null: whoever runs this process. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
  /** True if the system stops the program when this process dies, however it dies. */
  readonly diesWithParent: boolean;
}

/**
 * PostgreSQL refuses to run as root: then it gets another user's rights, with the one privilege it needs to reach
 * a data folder below folders that only root may enter. On Linux it is also told to stop when this process dies.
 * @throws StartError when it is root and no way works here.
 */
export function chooseLaunch(postgres: string): Launch {
  const works = (prefix: readonly string[]) => {
    const [command = postgres, ...args] = [...prefix, postgres, "-V"];
    return spawnSync(command, args, { stdio: "ignore" }).status === 0;
  };
  const dying = ["setpriv", "--pdeathsig", "INT", "--"];
  if (process.getuid?.() !== 0) {
    const diesWithParent = process.platform === "linux" && works(dying);
    return { prefix: diesWithParent ? dying : [], owner: null, diesWithParent };
  }
  const owner = findUser("postgres") ?? findUser("nobody") ?? { uid: 65534, gid: 65534 };
  const caps = "-all,+dac_override";
  const asUser = ["setpriv", "--reuid", String(owner.uid), "--regid", String(owner.gid), "--clear-groups"];
  asUser.push(
    "--securebits",
    "+no_setuid_fixup",
    "--inh-caps",
    caps,
    "--ambient-caps",
    caps,
    "--pdeathsig",
    "INT",
    "--",
  );
  if (works(asUser)) return { prefix: asUser, owner, diesWithParent: true };

  const ownNamespace = ["unshare", "--user", "--map-user=65534", "--map-group=65534", "--"];
  const root = { uid: 0, gid: 0 };
  if (works([...ownNamespace, ...dying])) {
    return { prefix: [...ownNamespace, ...dying], owner: root, diesWithParent: true };
  }
  if (works(ownNamespace)) return { prefix: ownNamespace, owner: root, diesWithParent: false };
  throw new StartError(
    "The embedded PostgreSQL can't run as root here",
    "PostgreSQL refuses to run as root, and neither setpriv nor unshare (util-linux) could give it another user.",
    "Run Fieldwatch as a normal user, install util-linux, or set DATABASE_URL to a PostgreSQL of your own.",
  );
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
