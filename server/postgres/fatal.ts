import { command } from "@/server/domain/fix";
import { fatalCauseOf, type FatalCause } from "./error-classes";
import { StartError } from "./start-error";

const WORDS: Record<FatalCause, { readonly what: string; readonly why: string; readonly fix: string }> = {
  schema: {
    what: "The database isn't of this version",
    why: "PostgreSQL lacks a table, column or function that this version of Fieldwatch works with: it was migrated by another version, restored from another backup, or emptied.",
    fix: `Stop Fieldwatch, restore the database or migrate it: ${command`npm run migrate`}`,
  },
  rights: {
    what: "PostgreSQL doesn't allow what Fieldwatch has to do",
    why: "The user of DATABASE_URL lacks a right on a table of Fieldwatch.",
    fix: `As its administrator, make that user the owner of the tables: ${command`REASSIGN OWNED BY previous_owner TO fieldwatch_user`}`,
  },
  damage: {
    what: "PostgreSQL reports damaged data",
    why: "A table or an index of the database can't be read: its disk or its files are faulty.",
    fix: `Stop Fieldwatch and look after the disk; then restore the database from a backup, or, if only an index is damaged: ${command`REINDEX DATABASE CONCURRENTLY`}`,
  },
};

/** Explains an error with which nothing can go on; undefined if it is none. Ends with what PostgreSQL said. */
export function explainFatal(error: unknown): StartError | undefined {
  if (error instanceof StartError) return error;
  const cause = fatalCauseOf(error);
  if (cause === undefined) return undefined;
  const { what, why, fix } = WORDS[cause];
  const { code, message } = error as Error & { code: string };
  return new StartError(what, `${why} It said: ${message} (${code}).`, fix, { cause: error });
}
