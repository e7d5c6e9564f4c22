import type { Counted } from "@/server/sources/counts";
import { IngestRefusedError } from "@/server/ingest/refused";
import { ProblemError, PROBLEMS } from "../problem";

/** What doors count of a request that failed; null for one that is counted by what was refused of it, or comes again. */
export function refusedRequest(at: number, bytes: number, error: unknown): Counted | null {
  if (!(error instanceof IngestRefusedError || error instanceof ProblemError)) return null;
  if (error.kind === "nothing-accepted" || PROBLEMS[error.kind].status >= 500) return null;
  const refused = [{ path: "", reason: error.kind as never, detail: error.detail }];
  return { at, bytes, accepted: 0, isIgnored: false, isKept: false, ignoredBy: new Map(), refused };
}
