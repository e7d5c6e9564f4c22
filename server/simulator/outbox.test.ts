import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StartError } from "@/server/postgres/start-error";
import { openOutbox, type Outbox } from "./outbox";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-outbox-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function all(outbox: Outbox): Promise<string[]> {
  const blocks = await outbox.oldest(Infinity, Infinity);
  return blocks.flatMap((block) => block.messages.map(String));
}

describe("outbox", () => {
  it("is a queue, whatever is put, taken and reopened (property)", async () => {
    const step = fc.oneof(
      fc
        .array(fc.string({ minLength: 1, unit: "grapheme-ascii" }), { minLength: 1, maxLength: 5 })
        .map((put) => ({ put })),
      fc.integer({ min: 1, max: 8 }).map((take) => ({ take })),
      fc.constant({ reopen: true }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const place = mkdtempSync(path.join(folder, "run-"));
        let outbox = await openOutbox(place, 1e9);
        let model: string[] = [];
        try {
          for (const action of steps) {
            if ("put" in action) {
              await outbox.put(action.put, false);
              model.push(...action.put);
            } else if ("take" in action) {
              const blocks = await outbox.oldest(action.take, Infinity);
              const taken = blocks.flatMap((block) => block.messages.map(String));
              expect(taken).toEqual(model.slice(0, taken.length));
              if (model.length > 0) expect(taken.length).toBeGreaterThan(0);
              await outbox.remove(blocks);
              model = model.slice(taken.length);
            } else {
              await outbox.close();
              outbox = await openOutbox(place, 1e9);
            }
            expect(outbox.waiting.messages).toBe(model.length);
          }
          expect(await all(outbox)).toEqual(model);
        } finally {
          await outbox.close();
        }
      }),
      { numRuns: 25 },
    );
  });

  it("drops the oldest past its limit and counts them, also while they are being sent", async () => {
    const outbox = await openOutbox(folder, 1000);
    const message = (n: number) => String(n).padStart(100, "0");
    for (let n = 0; n < 8; n++) await outbox.put([message(n)], false);
    const sending = await outbox.oldest(3, Infinity);
    for (let n = 8; n < 15; n++) await outbox.put([message(n)], false);
    expect(outbox.dropped).toBe(5);
    await outbox.remove(sending);
    // Dropped while they were on their way, and delivered all the same: only two are missing in the end.
    expect(outbox.dropped).toBe(2);
    expect(outbox.waiting).toEqual({ messages: 10, bytes: 1000 });
    expect(await all(outbox)).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14].map(message));
    await outbox.close();
  });

  it("says that another simulator uses it", async () => {
    const outbox = await openOutbox(folder, 1e6);
    await expect(openOutbox(folder, 1e6)).rejects.toThrow(/in use by another simulator/);
    await outbox.close();
  });

  it("says that it is damaged, or no folder", async () => {
    const outbox = await openOutbox(folder, 1e6);
    await outbox.put(["x"], true);
    await outbox.close();
    for (const file of readdirSync(folder))
      if (/^(MANIFEST|CURRENT)/.test(file)) writeFileSync(path.join(folder, file), "MANIFEST-broken\n");
    const error = await openOutbox(folder, 1e6).catch((problem: unknown) => problem);
    expect(error).toBeInstanceOf(StartError);
    expect((error as Error).message).toContain(folder);
    writeFileSync(path.join(folder, "file"), "");
    await expect(openOutbox(path.join(folder, "file"), 1e6)).rejects.toThrow(StartError);
  });

  it("keeps what was put when the process is killed", async () => {
    mkdirSync(folder, { recursive: true });
    // The same store with the same keys, in a process that can be killed -9 in the middle of its writes.
    const script = `
      import { ClassicLevel } from "classic-level";
      const store = new ClassicLevel(${JSON.stringify(folder)}, { valueEncoding: "buffer" });
      for (let n = 0; ; n++) {
        await store.put(String(n).padStart(16, "0") + ":1:7", Buffer.from("message"));
        process.stdout.write(n + "\\n");
      }`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let confirmed = -1;
    child.stdout.on("data", (data: Buffer) => {
      confirmed = Number(data.toString().trim().split("\n").at(-1));
      if (confirmed > 500) child.kill("SIGKILL");
    });
    await new Promise((resolve) => child.on("close", resolve));
    const outbox = await openOutbox(folder, 1e9);
    expect(outbox.waiting.messages).toBeGreaterThanOrEqual(confirmed + 1);
    expect(await all(outbox)).toHaveLength(outbox.waiting.messages);
    await outbox.put(["after"], false);
    expect((await all(outbox)).at(-1)).toBe("after");
    await outbox.close();
  });
});
