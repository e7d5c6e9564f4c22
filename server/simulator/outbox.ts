import { mkdirSync } from "node:fs";
import { ClassicLevel } from "classic-level";
import { errorCode, StartError } from "@/server/database/start-error";

/** Messages put in together, and taken out together: the outbox's unit. */
export interface OutboxBlock {
  readonly key: string;
  /** JSON texts, in the order they were put in. */
  readonly messages: readonly Buffer[];
}

export interface Outbox {
  /** Messages and bytes that wait. */
  readonly waiting: { readonly messages: number; readonly bytes: number };
  /** Messages dropped since the start because there was no room. */
  readonly dropped: number;
  /**
   * Keeps messages behind those that wait, dropping the oldest when there is no room.
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

/** LevelDB reclaims deleted space lazily; past this much drained backlog it is worth asking for it. */
const COMPACT_AFTER_BYTES = 16 * 1024 * 1024;

/**
 * Opens the durable queue of undelivered messages in a folder, with whatever an earlier run left in it. What `put`
 * has confirmed survives a killed process.
 * @throws StartError if the folder cannot be used.
 */
export async function openOutbox(folder: string, maxBytes: number): Promise<Outbox> {
  const store = await openStore(folder);
  // A key is `sequence:messages:bytes`, so that a start reads the keys alone.
  let head = "";
  let next = 0;
  let messages = 0;
  let bytes = 0;
  let dropped = 0;
  let drained = 0;
  for await (const key of store.keys()) {
    const block = readKey(key);
    messages += block.messages;
    bytes += block.bytes;
    next = block.sequence + 1;
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
    await store.batch(present.map((key) => ({ type: "del", key })));
    if (messages === 0 && drained > COMPACT_AFTER_BYTES) {
      drained = 0;
      await store.compactRange("", "~");
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
    async put(texts, sync) {
      if (texts.length === 0) return;
      const value = Buffer.from(texts.join("\n"));
      await makeRoom(value.byteLength);
      const key = writeKey(next++, texts.length, value.byteLength);
      await store.put(key, value, { sync });
      messages += texts.length;
      bytes += value.byteLength;
    },
    async oldest(maxMessages, maxBytes) {
      const blocks: OutboxBlock[] = [];
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
    },
    remove: (blocks) => forget(blocks.map((block) => block.key)),
    close: () => store.close(),
  };
}

async function openStore(folder: string): Promise<ClassicLevel<string, Buffer>> {
  try {
    mkdirSync(folder, { recursive: true });
    // Small buffers: it is a queue, nothing is read twice.
    const store = new ClassicLevel<string, Buffer>(folder, {
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
