import { UnavailableError } from "@/server/domain/unavailable";

/**
 * Keeps files of readings of long ago. Adapters: a folder, and S3-compatible storage; each passes server/testing/cold-store.contract.ts.
 * The job that moves months writes and removes, whoever reads readings reads. Names are paths with forward slashes: `readings/month=2026-08/part-0001.parquet`.
 * An outage, and a refusal for now, is a {@link ColdUnavailableError}.
 */
export interface ColdStore {
  /** Where it is, for people: the folder, or s3://bucket/prefix. */
  readonly url: string;
  /** Finds out, without writing, whether files can be kept there. @returns false when nothing is there yet, and the first file makes it. */
  look(): Promise<boolean>;
  /** Writes a whole file, on disk when it resolves, or not at all. @throws ColdFileExistsError when the name is taken: nothing is ever overwritten. */
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** Reads the bytes [from, to). @throws ColdFileMissingError when there is no such file, or it is shorter. */
  read(name: string, from: number, to: number): Promise<Uint8Array>;
  /** The files below a folder, in order of name. None when there is no such folder. */
  list(folder: string): Promise<readonly ColdFileSeen[]>;
  /** Removes a file; one that isn't there is no error. */
  remove(name: string): Promise<void>;
}

export interface ColdFileSeen {
  readonly name: string;
  readonly bytes: number;
}

/** Cold storage is away, or refuses; the same call may work later, by itself or when what `fix` says was done. */
export class ColdUnavailableError extends UnavailableError {
  override readonly name = "ColdUnavailableError";
  constructor(
    message: string,
    /** What to do, for people. */
    readonly fix: string,
    options: { cause?: unknown } = {},
  ) {
    super(message, options);
  }
}

/** The file that was to be written is there already. */
export class ColdFileExistsError extends Error {
  override readonly name = "ColdFileExistsError";
  constructor(file: string) {
    super(`${file} is in cold storage already`);
  }
}

/** A file, or the part of it that was asked for, isn't there, or isn't as it was written. */
export class ColdFileMissingError extends Error {
  override readonly name = "ColdFileMissingError";
  /** @param writtenTo where it was written, if that isn't where it was looked for. */
  constructor(file: string, { writtenTo, ...options }: { cause?: unknown; writtenTo?: string } = {}) {
    const elsewhere = writtenTo === undefined ? "" : `: it was written to ${writtenTo}, and COLD_URL is another place`;
    super(`${file} is not in cold storage, or not whole${elsewhere}`, options);
  }
}

/** A file that isn't as it should be, said with the place it was written to, if it was looked for in another. */
export function notWhole(
  { name, url }: { readonly name: string; readonly url: string },
  store: Pick<ColdStore, "url"> | null,
  cause?: unknown,
): ColdFileMissingError {
  return new ColdFileMissingError(name, { cause, ...(store !== null && store.url !== url && { writtenTo: url }) });
}

/** Says what a file that should be there means, once it is sure that it still should. */
export function missingFile(error: ColdFileMissingError): ColdUnavailableError {
  return new ColdUnavailableError(
    `A file that holds readings is gone or damaged: ${error.message}`,
    "Bring the file back from a backup of cold storage, or, where cold storage was moved, all files to where COLD_URL says. `npm run cold -- verify` names all that are missing or damaged.",
    { cause: error },
  );
}
