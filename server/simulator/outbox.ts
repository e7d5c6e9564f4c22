import { statfs } from "node:fs/promises";
import { ClassicLevel } from "classic-level";
import { makeFolderSync } from "@/server/config/make-folder.mjs";
import { errorCode, StartError } from "@/server/postgres/start-error";

/** Messages put in together, and taken out together: the outbox's unit. */
interface OutboxBlock {
  readonly key: string;
  /** JSON texts, in the order they were put in. */
  readonly messages: readonly Buffer[];
}

export interface Outbox {
  /** Messages and bytes that wait. */
  readonly waiting: { readonly messages: number; readonly bytes: number };
  /** Messages dropped since the start because there was no room: the oldest past the bound, new ones while the disk takes none. */
  readonly dropped: number;
  /** The reason why the disk takes no messages now; null while it does. */
  readonly failure: Error | null;
  /**
   * Keeps messages behind those that wait, dropping the oldest when there is no room. While the disk takes nothing, they are dropped.
   * @param messages JSON texts without line breaks.
   * @param sync also waits for the disk, so that not even a power cut loses them.
   */
  put(messages: readonly string[], sync: boolean): Promise<void>;
  /** The oldest blocks, in order, up to about this many messages and bytes; at least one if any waits. */
  oldest(maxMessages: number, maxBytes: number): Promise<readonly OutboxBlock[]>;
  /** Forgets delivered blocks; one that was dropped meanwhile is no error. */
  remove(blocks: readonly OutboxBlock[]): Promise<void>;
  close(): Promise<void>;
}

type Store = ClassicLevel<string, Buffer>;

/** LevelDB reclaims deleted space lazily; past this much drained backlog it is worth asking for it. */
const COMPACT_AFTER_BYTES = 16 * 1024 * 1024;
/** LevelDB needs this much room to start on a backlog; with less, a store that can still be read is not closed. */
const ROOM_TO_OPEN_BYTES = 16 * 1024 * 1024;
const MEND_EVERY_MS = 1000;

/**
 * Opens the durable queue of undelivered messages in a folder, with whatever an earlier run left in it. What `put`
 * has confirmed survives a killed process.
 * @throws StartError if the folder cannot be used.
 */
export async function openOutbox(folder: string, maxBytes: number): Promise<Outbox> {
  const store = await openStore(folder);
  const exclusively = oneAtATime();
  let head = "";
  let next = 0;
  let messages = 0;
  let bytes = 0;
  let dropped = 0;
  let drained = 0;
  let failure: Error | null = null;
  let mendAt = 0;
  await count();

  /** Counts what waits. A key is `sequence:messages:bytes`, so the keys alone are read. */
  async function count(): Promise<void> {
    messages = 0;
    bytes = 0;
    for await (const key of store.keys({ gte: head })) {
      const block = readKey(key);
      messages += block.messages;
      bytes += block.bytes;
      next = Math.max(next, block.sequence + 1);
    }
  }

  /** Runs a write. When the disk refuses it, what LevelDB writes after it may be unreadable, so nothing is written until `mend`. */
  async function write(work: () => Promise<void>): Promise<boolean> {
    if (failure !== null) return false;
    try {
      await work();
      return true;
    } catch (error) {
      if (errorCode(error) !== "LEVEL_IO_ERROR") throw error;
      failure = error as Error;
      return false;
    }
  }

  /** Makes the store writable again, if that can be done without losing what waits. */
  async function mend(): Promise<void> {
    if (failure === null || performance.now() < mendAt) return;
    mendAt = performance.now() + MEND_EVERY_MS;
    try {
      if (messages === 0) {
        // All is delivered, so the files may go: that needs no room, where deleting from them would.
        await store.close();
        await ClassicLevel.destroy(folder);
        await store.open();
      } else {
        const { bavail, bsize } = await statfs(folder);
        if (bavail * bsize < ROOM_TO_OPEN_BYTES) return;
        await store.close();
        await store.open();
        await store.clear({ lt: head });
        const before = messages;
        await count();
        // A refused write may have reached the disk all the same, or have damaged what was written with it.
        dropped += before - messages;
      }
      failure = null;
    } catch (error) {
      failure = error as Error;
    }
  }

  async function forget(keys: readonly string[]): Promise<void> {
    // Both ways out take from the head, so a key before it is gone already.
    const present = keys.filter((key) => key >= head);
    const last = present.at(-1);
    if (last === undefined) return;
    head = `${last}~`;
    for (const key of present) {
      const block = readKey(key);
      messages -= block.messages;
      bytes -= block.bytes;
      drained += block.bytes;
    }
    await write(() => store.batch(present.map((key) => ({ type: "del", key }))));
    if (messages === 0 && drained > COMPACT_AFTER_BYTES) {
      drained = 0;
      await write(() => store.compactRange("", "~"));
    }
  }

  async function makeRoom(needed: number): Promise<void> {
    while (messages > 0 && bytes + needed > maxBytes) {
      const keys: string[] = [];
      let freed = 0;
      let lost = 0;
      for await (const key of store.keys({ gte: head })) {
        const block = readKey(key);
        keys.push(key);
        freed += block.bytes;
        lost += block.messages;
        if (bytes - freed + needed <= maxBytes || keys.length === 1000) break;
      }
      if (keys.length === 0) return;
      await forget(keys);
      dropped += lost;
    }
  }

  return {
    get waiting() {
      return { messages, bytes };
    },
    get dropped() {
      return dropped;
    },
    get failure() {
      return failure;
    },
    put: (texts, sync) =>
      exclusively(async () => {
        if (texts.length === 0) return;
        const value = Buffer.from(texts.join("\n"));
        await mend();
        if (failure === null) await makeRoom(value.byteLength);
        const key = writeKey(next++, texts.length, value.byteLength);
        if (await write(() => store.put(key, value, { sync }))) {
          messages += texts.length;
          bytes += value.byteLength;
        } else dropped += texts.length;
      }),
    oldest: (maxMessages, maxBytes) =>
      exclusively(async () => {
        const blocks: OutboxBlock[] = [];
        if (messages === 0) return blocks;
        let counted = 0;
        let size = 0;
        for await (const [key, value] of store.iterator({ gte: head, highWaterMarkBytes: 64 * 1024 })) {
          const lines = splitLines(value);
          if (blocks.length > 0 && (counted + lines.length > maxMessages || size + value.byteLength > maxBytes)) break;
          blocks.push({ key, messages: lines });
          counted += lines.length;
          size += value.byteLength;
        }
        return blocks;
      }),
    remove: (blocks) =>
      exclusively(async () => {
        // Dropped while they were on their way, and delivered all the same.
        for (const block of blocks) if (block.key < head) dropped -= block.messages.length;
        await forget(blocks.map((block) => block.key));
        await mend();
      }),
    close: () => exclusively(() => store.close()),
  };
}

/** Runs pieces of work one after the other: mending closes the store, which nobody may be reading then. */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
}

async function openStore(folder: string): Promise<Store> {
  try {
    makeFolderSync(folder);
    // Small buffers: it is a queue, nothing is read twice.
    const store: Store = new ClassicLevel(folder, {
      valueEncoding: "buffer",
      cacheSize: 1024 * 1024,
      writeBufferSize: 2 * 1024 * 1024,
    });
    await store.open();
    return store;
  } catch (error) {
    throw explain(folder, error);
  }
}

function explain(folder: string, error: unknown): StartError {
  const failure = ((error as Error).cause ?? error) as Error;
  const because = (why: string, fix: string) =>
    new StartError("The simulator's outbox can't be used", `${folder} ${why}`, fix, { cause: error });
  switch (errorCode(failure)) {
    case "LEVEL_LOCKED":
      return because(
        "is in use by another simulator.",
        "Stop that one, or give this one a folder of its own: FIELDWATCH_DATA_DIR=.fieldwatch-2",
      );
    case "LEVEL_CORRUPTION":
      return because(
        `is damaged: ${failure.message}.`,
        "Move that folder away to start with an empty one. What waits in it is not sent then.",
      );
    default:
      return because(
        `can't be opened: ${failure.message}.`,
        "It must be a folder this user can write, on a disk with room; move a damaged one away.",
      );
  }
}

function splitLines(value: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let from = 0; from <= value.byteLength;) {
    const end = value.indexOf(10, from);
    lines.push(value.subarray(from, end === -1 ? value.byteLength : end));
    from = end === -1 ? value.byteLength + 1 : end + 1;
  }
  return lines;
}

function writeKey(sequence: number, messages: number, bytes: number): string {
  return `${String(sequence).padStart(16, "0")}:${messages}:${bytes}`;
}

function readKey(key: string): { sequence: number; messages: number; bytes: number } {
  const [sequence = 0, messages = 0, bytes = 0] = key.split(":").map(Number);
  return { sequence, messages, bytes };
}
