import { randomBytes } from "node:crypto";
import { access, constants, type FileHandle, link, open, readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { makeFolder } from "@/server/config/make-folder.mjs";
import { errorCode } from "@/server/postgres/start-error";
import {
  ColdFileExistsError,
  ColdFileMissingError,
  type ColdFileSeen,
  type ColdStore,
  ColdUnavailableError,
} from "@/server/ports/cold-store";

/** Begins the name of a file that isn't whole yet. */
const UNFINISHED = ".unfinished-";

/** Keeps files in a folder, which is made at the first write: a disk of its own, or a share. */
export function createFolderColdStore(folder: string): ColdStore {
  const root = path.resolve(folder);
  const at = (name: string) => path.join(root, ...name.split("/"));
  return {
    url: root,
    look: () =>
      told(root, async () => {
        let place = root;
        while (!(await isThere(place))) place = path.dirname(place);
        await access(place, constants.W_OK | constants.X_OK);
        // Says what stands in the way where a folder should be.
        if (place !== root) await readdir(root).catch(unlessMissing);
        return place === root;
      }),
    put: (name, bytes) =>
      told(root, async () => {
        const target = at(name);
        await makeFolder(path.dirname(target), 0o750);
        const unfinished = path.join(path.dirname(target), `${UNFINISHED}${randomBytes(6).toString("hex")}`);
        try {
          await withFile(unfinished, "wx", async (file) => {
            await file.writeFile(bytes);
            await file.sync();
          });
          // Unlike a rename, a link never takes the place of what is there.
          await link(unfinished, target);
        } catch (error) {
          if (errorCode(error) === "EEXIST") throw new ColdFileExistsError(name);
          throw error;
        } finally {
          await rm(unfinished, { force: true });
        }
        for (let parent = path.dirname(target); parent.length >= root.length; parent = path.dirname(parent))
          await withFile(parent, "r", (file) => file.sync());
      }),
    read: (name, from, to) =>
      told(root, async () => {
        try {
          return await withFile(at(name), "r", async (file) => {
            const bytes = new Uint8Array(to - from);
            const { bytesRead } = await file.read(bytes, 0, bytes.length, from);
            if (bytesRead !== bytes.length) throw new ColdFileMissingError(name);
            return bytes;
          });
        } catch (error) {
          if (errorCode(error) === "ENOENT" && (await isThere(root))) throw new ColdFileMissingError(name);
          throw error;
        }
      }),
    list: (below) =>
      told(root, async () => {
        const seen: ColdFileSeen[] = [];
        for (const file of await filesBelow(at(below))) {
          const info = await stat(file).catch(() => null);
          if (info !== null) seen.push({ name: path.relative(root, file).split(path.sep).join("/"), bytes: info.size });
        }
        return seen.sort((a, b) => (a.name < b.name ? -1 : 1));
      }),
    remove: (name) => told(root, () => rm(at(name), { force: true })),
  };
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(unlessMissing);
  const found: string[] = [];
  for (const entry of entries) {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) found.push(...(await filesBelow(full)));
    else if (entry.isFile() && !entry.name.startsWith(UNFINISHED)) found.push(full);
  }
  return found;
}

function unlessMissing(error: unknown): [] {
  if (errorCode(error) === "ENOENT") return [];
  throw error;
}

async function withFile<T>(file: string, flags: string, work: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(file, flags, 0o640);
  try {
    return await work(handle);
  } finally {
    await handle.close();
  }
}

function isThere(folder: string): Promise<boolean> {
  return stat(folder).then(
    (info) => info.isDirectory(),
    () => false,
  );
}

/** What a disk says becomes an outage with what to do about it. */
async function told<T>(root: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined || error instanceof ColdUnavailableError) throw error;
    throw new ColdUnavailableError(
      `The folder of cold storage can't be used (${code}): ${root}`,
      FIXES[code] ?? MOUNT,
      {
        cause: error,
      },
    );
  }
}

const MOUNT = "See that the folder of COLD_URL is there (mounted) and that Fieldwatch may read and write it.";
const FIXES: Readonly<Record<string, string>> = {
  ENOSPC: "Make room on the disk of COLD_URL's folder.",
  EDQUOT: "Make room on the disk of COLD_URL's folder: its quota is used up.",
  EACCES: "Let the user Fieldwatch runs as read and write COLD_URL's folder.",
  EROFS: "COLD_URL's folder is mounted read-only: mount it for writing.",
};
