import type { Pool } from "pg";
import { counted } from "@/server/domain/counted";
import {
  ColdFileMissingError,
  type ColdStore,
  ColdUnavailableError,
  missingFile,
  notWhole,
} from "@/server/ports/cold-store";
import { type Finding, pass, type Probe } from "./probe";

export interface ColdProbeDeps {
  readonly pool: Pool;
  readonly coldStore: ColdStore | null;
}

/** Whether the newest file of cold storage can be read or, while there is none, whether one could be written. */
export function coldProbes({ pool, coldStore }: ColdProbeDeps): readonly Probe[] {
  return [
    {
      name: "cold.reachable",
      title: "Cold storage",
      group: "Cold storage",
      timeoutMs: 10_000,
      run: () =>
        lookAt(pool, coldStore).catch((error: unknown) => {
          if (error instanceof ColdUnavailableError) return away(error);
          throw error;
        }),
    },
  ];
}

async function lookAt(pool: Pool, store: ColdStore | null): Promise<Finding> {
  const { rows } = await pool.query<{ files: number; name: string; url: string; bytes: number }>(
    `SELECT count(*) OVER ()::integer AS files, name, url, bytes::float8 AS bytes FROM cold_file
     WHERE state = 'kept' ORDER BY id DESC LIMIT 1`,
  );
  const newest = rows[0];
  if (store === null) {
    if (newest === undefined) return pass("Not in use: all readings are in PostgreSQL.");
    return away(
      new ColdUnavailableError(
        `Readings were moved to ${newest.url}, and no cold storage is set now`,
        "Set COLD_URL to where they were moved.",
      ),
    );
  }
  if (newest === undefined) {
    return pass(
      (await store.look())
        ? `${store.url} answers; nothing was moved there yet.`
        : `${store.url} isn't there yet: it is made when the first month is moved. If it should be, see that it is mounted, and COLD_URL.`,
    );
  }
  const { name, url } = newest;
  await store.read(name, newest.bytes - 8, newest.bytes).catch((error: unknown) => {
    throw error instanceof ColdFileMissingError ? missingFile(notWhole({ name, url }, store, error)) : error;
  });
  return pass(`${store.url} has ${counted(newest.files, "file")}; the newest can be read.`);
}

function away({ message, fix }: ColdUnavailableError): Finding {
  return { status: "fail", summary: "Readings in cold storage can't be read.", cause: message, fix };
}
