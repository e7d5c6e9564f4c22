import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  ColdFileExistsError,
  ColdFileMissingError,
  type ColdStore,
  ColdUnavailableError,
} from "@/server/ports/cold-store";

/** The means of the suite to use the adapter under test. */
export interface ColdStoreFixture {
  readonly store: ColdStore;
  /** The same kind of store where there is none: an outage. */
  readonly away: ColdStore;
  close(): Promise<void>;
}

/** Defines the tests that every cold store passes. */
export function coldStoreContract(name: string, createFixture: () => Promise<ColdStoreFixture>) {
  describe(`cold store: ${name}`, () => {
    let fixture: ColdStoreFixture;
    let store: ColdStore;
    beforeAll(async () => {
      fixture = await createFixture();
      store = fixture.store;
    });
    afterAll(() => fixture.close());

    const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 31 + (i >> 8)) & 0xff);

    it("has nothing in a folder that isn't there", async () => {
      expect(await store.list("readings/nowhere")).toEqual([]);
    });

    it("gives back every byte, and any stretch of them", async () => {
      await store.put("readings/month=2026-08/part-0001.parquet", bytes);
      expect(await store.read("readings/month=2026-08/part-0001.parquet", 0, bytes.length)).toEqual(bytes);
      expect(await store.read("readings/month=2026-08/part-0001.parquet", 65_530, 65_540)).toEqual(
        bytes.slice(65_530, 65_540),
      );
      expect(await store.read("readings/month=2026-08/part-0001.parquet", 5, 5)).toHaveLength(0);
    });

    it("overwrites nothing", async () => {
      const name = "readings/month=2026-09/part-0001.parquet";
      await store.put(name, bytes);
      await expect(store.put(name, Uint8Array.of(1))).rejects.toThrow(ColdFileExistsError);
      expect(await store.read(name, 0, bytes.length)).toEqual(bytes);
    });

    it("lists what is below a folder in order of name, whole files alone", async () => {
      for (const part of [2, 10, 1]) await store.put(`listed/month=2026-08/part-${part}.parquet`, bytes.slice(0, part));
      await store.put("listed-not/part-1.parquet", bytes);
      expect(await store.list("listed")).toEqual([
        { name: "listed/month=2026-08/part-1.parquet", bytes: 1 },
        { name: "listed/month=2026-08/part-10.parquet", bytes: 10 },
        { name: "listed/month=2026-08/part-2.parquet", bytes: 2 },
      ]);
    });

    it("says what is missing, or shorter than it should be", async () => {
      await store.put("short.parquet", bytes.slice(0, 10));
      await expect(store.read("readings/gone.parquet", 0, 10)).rejects.toThrow(ColdFileMissingError);
      await expect(store.read("short.parquet", 5, 11)).rejects.toThrow(ColdFileMissingError);
      await expect(store.read("short.parquet", 10, 12)).rejects.toThrow(ColdFileMissingError);
    });

    it("removes a file, and has no quarrel with one that is gone", async () => {
      await store.put("removed.parquet", bytes);
      await store.remove("removed.parquet");
      await store.remove("removed.parquet");
      await expect(store.read("removed.parquet", 0, 1)).rejects.toThrow(ColdFileMissingError);
      await store.put("removed.parquet", bytes.slice(3));
      expect(await store.read("removed.parquet", 0, 2)).toEqual(bytes.slice(3, 5));
    });

    it("calls a store that is away an outage, and says what to do", async () => {
      const error = await fixture.away.read("readings/a.parquet", 0, 1).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(ColdUnavailableError);
      expect((error as ColdUnavailableError).fix).toMatch(/COLD_/);
      await expect(fixture.away.put("readings/a.parquet", bytes)).rejects.toThrow(ColdUnavailableError);
      await expect(fixture.away.look()).rejects.toThrow(ColdUnavailableError);
    });
  });
}
