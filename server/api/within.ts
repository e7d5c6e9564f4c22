import { findDevices } from "@/server/catalog/catalog-writes";
import { type Caller, nameOf, type Permission, type Sites, sitesOf } from "@/server/domain/access";
import type { Context, WritingContext } from "@/server/postgres/context";
import { ProblemError } from "./problem";

/**
 * What `find` finds at the sites the call is about.
 * @param deviceOf the device it is about, if it is about one.
 * @throws what `missing` says when the caller sees no such thing at any site. @throws NotHereError when it is seen but the verb's
 *   permission isn't held there. What is hidden is answered as what isn't there.
 */
export async function within<T>(
  ctx: Context | WritingContext,
  find: (sites: Sites) => Promise<T | null>,
  missing: () => Error,
  deviceOf: (found: T) => string | null = () => null,
): Promise<T> {
  const found = await find(ctx.sites);
  if (found !== null) return found;
  const seen = ctx.sites === "all" ? null : await find(sitesOf(ctx.caller, "view"));
  if (seen === null) throw missing();
  const device = deviceOf(seen);
  throw device === null ? new NotHereError("there") : await notAtSiteOf(ctx, device);
}

/** The refusal of what may not be done where a device is, which the caller sees. */
async function notAtSiteOf({ tx }: Context | WritingContext, device: string): Promise<NotHereError> {
  const site = (await findDevices(tx, [device]))[0]?.site ?? null;
  return new NotHereError(site === null ? EVERYWHERE : atSite(site));
}

/** Where what belongs to no site is, and what is of all of them. */
export const EVERYWHERE = "at all sites";

/** How a refusal names a site. */
export function atSite(name: string): string {
  return `at the site ${name}`;
}

/** Thrown when what is asked for takes a permission where the caller doesn't hold it. */
export class NotHereError extends Error {
  override readonly name = "NotHereError";
  /**
   * @param where in words: {@link atSite}, {@link EVERYWHERE}.
   * @param permission left out: the one of the verb.
   */
  constructor(
    readonly where: string,
    readonly permission?: Permission,
  ) {
    super(`not held ${where}`);
  }
}

/** The one way in which it is said that a permission isn't held. @param where left out: nowhere at all. */
export function notHeld(caller: Caller, permission: Permission, where = ""): ProblemError {
  const place = where === "" ? "" : ` ${where}`;
  return new ProblemError(
    "not-allowed",
    `It takes the permission "${permission}", which ${nameOf(caller)} doesn't hold${place}.`,
  );
}
