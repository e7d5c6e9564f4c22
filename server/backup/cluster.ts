import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { PassThrough, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { extract } from "tar-stream";
import { makeFolder } from "@/server/config/make-folder.mjs";
import { writeBaseBackup } from "@/server/postgres/base-backup";
import { keepRoom } from "./room";

/** How much was written, and what. */
interface Packed {
  readonly bytes: number;
  readonly sha256: string;
  /** Before it was compressed. */
  readonly unpackedBytes: number;
}

/** Bytes between two looks at the room on the disk. */
const LOOK_AFTER = 64 * 1024 * 1024;

/**
 * Writes a running cluster into a compressed tar file.
 * @param owner connection string of its superuser.
 * @throws StartError when the disk gets full, which leaves what was written.
 */
export async function packCluster(owner: string, file: string): Promise<Packed> {
  const source = new PassThrough({ highWaterMark: 1 << 20 });
  const hash = createHash("sha256");
  let unpackedBytes = 0;
  let bytes = 0;
  let looked = 0;
  const before = through((chunk) => void (unpackedBytes += chunk.length));
  const after = through(async (chunk) => {
    hash.update(chunk);
    bytes += chunk.length;
    if (bytes - looked < LOOK_AFTER) return;
    looked = bytes;
    await keepRoom(path.dirname(file), 0);
  });
  const target = createWriteStream(file, { mode: 0o600, flags: "wx", flush: true });
  const written = pipeline(source, before, createGzip({ level: 1 }), after, target);
  // Whichever fails first says why; the other only that it was cut off.
  await Promise.all(
    [written, writeBaseBackup(owner, source)].map((part) =>
      part.catch((error: unknown) => {
        source.destroy();
        throw error;
      }),
    ),
  );
  return { bytes, sha256: hash.digest("hex"), unpackedBytes };
}

function through(look: (chunk: Buffer) => void | Promise<void>): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      Promise.resolve(look(chunk)).then(() => done(null, chunk), done);
    },
  });
}

/**
 * Writes the files of a packed cluster into a folder, which is made. Knows folders and plain files, and none that would lie elsewhere.
 */
export async function unpackCluster(file: string, folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o700 });
  const entries = extract();
  const unpacked = (async () => {
    for await (const entry of entries) {
      const { name, type, mode = 0o600 } = entry.header;
      const target = path.join(folder, name);
      if (
        target !== folder &&
        !target.startsWith(folder + path.sep) &&
        path.normalize(target) !== `${folder}${path.sep}`
      )
        throw new Error(`${file} has a file that would lie outside of it: ${name}`);
      if (type === "directory") {
        await makeFolder(target, mode);
        entry.resume();
      } else if (type === "file") await pipeline(entry, createWriteStream(target, { mode, flags: "wx" }));
      else throw new Error(`${file} has what isn't a plain file: ${name}`);
    }
  })();
  await Promise.all([pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), createGunzip(), entries), unpacked]);
}
