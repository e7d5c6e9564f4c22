import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { ColdFileExistsError } from "@/server/ports/cold-store";
import { coldStoreContract } from "@/server/testing/cold-store.contract";
import { createFolderColdStore } from "./folder";

coldStoreContract("folder", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-cold-"));
  // Below a file there can be no folder, whoever asks.
  writeFileSync(path.join(folder, "a-file"), "");
  return {
    store: createFolderColdStore(path.join(folder, "store")),
    away: createFolderColdStore(path.join(folder, "a-file", "store")),
    close: async () => rmSync(folder, { recursive: true }),
  };
});

it("says that its folder isn't there yet, as of a share that isn't mounted, and makes none by looking", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-cold-"));
  const store = createFolderColdStore(path.join(folder, "share", "cold"));
  expect(await store.look()).toBe(false);
  expect(readdirSync(folder)).toEqual([]);
  await store.put("readings/a.parquet", new Uint8Array(1));
  expect(await store.look()).toBe(true);
  rmSync(folder, { recursive: true });
});

it("takes one of two that write the same name at once, whole", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-cold-"));
  const store = createFolderColdStore(folder);
  const files = [1, 2].map((byte) => new Uint8Array(100_000).fill(byte));
  const puts = await Promise.allSettled(files.map((bytes) => store.put("a.parquet", bytes)));
  expect(puts.filter((put) => put.status === "rejected").map(({ reason }) => reason)).toEqual([
    expect.any(ColdFileExistsError),
  ]);
  const first = files[puts.findIndex((put) => put.status === "fulfilled")]!;
  expect(await store.read("a.parquet", 0, first.length)).toEqual(first);
  rmSync(folder, { recursive: true });
});

it("leaves nothing unfinished behind, nor lists it", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-cold-"));
  const store = createFolderColdStore(folder);
  await store.put("month/a.parquet", new Uint8Array(10));
  await expect(store.put("month/a.parquet", new Uint8Array(10))).rejects.toThrow();
  writeFileSync(path.join(folder, "month", ".unfinished-1"), "a killed process left this");
  expect(readdirSync(path.join(folder, "month"))).toEqual([".unfinished-1", "a.parquet"]);
  expect(await store.list("month")).toHaveLength(1);
  rmSync(folder, { recursive: true });
});
