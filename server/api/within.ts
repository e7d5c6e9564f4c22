import { nameOf, type Sites, sitesOf } from "@/server/domain/access";
import type { Context, WritingContext } from "@/server/postgres/context";
import { ProblemError } from "./problem";

/**
 * What `find` finds at the sites the call is about.
 * @throws ProblemError: what `missing` says when the caller sees no such thing at any site, not-allowed when it is seen but the verb's
 *   permission isn't held there. What is hidden is answered as what isn't there.
 */
export async function within<T>(
  ctx: Context | WritingContext,
  find: (sites: Sites) => Promise<T | null>,
  missing: () => ProblemError,
): Promise<T> {
  const found = await find(ctx.sites);
  if (found !== null) return found;
  const isSeen = ctx.sites !== "all" && (await find(sitesOf(ctx.caller, "view"))) !== null;
  throw isSeen ? notHere(ctx) : missing();
}

/** The refusal of what may not be done at a site, or at all of them together. */
export function notHere({ caller }: Pick<Context, "caller">, where = "at this site"): ProblemError {
  return new ProblemError("not-allowed", `${nameOf(caller)} may not do that ${where}.`);
}
