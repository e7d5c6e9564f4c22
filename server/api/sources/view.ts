import type { Pool, PoolClient } from "pg";
import { z } from "zod";
import { type source, type sourceHandshake, sourceName, type sourceMapping } from "@/server/contracts/sources";
import type { Sites } from "@/server/domain/access";
import { histogramPercentile } from "@/server/domain/histogram";
import { OWN_SOURCE } from "@/server/domain/source";
import type { Context, WritingContext } from "@/server/postgres/context";
import type { SourceTotals } from "@/server/sources/counts";
import type { Handshake } from "@/server/sources/handshakes";
import { findSource, type MappingRow, type SourceRow } from "@/server/sources/rows";
import { toInstant, toInstantOrNull } from "../instant";
import { ProblemError } from "../problem";
import { atSite, EVERYWHERE, NotHereError, within } from "../within";

export const sourceParams = z.object({ source: sourceName.describe("Name of the source") });

/** A source as it is told; nothing of its door's secret. */
export function toSource(row: SourceRow, totals: SourceTotals): z.input<typeof source> {
  const { id: _, site, doorSecret, createdAt, updatedAt, ...told } = row;
  return {
    ...told,
    labels: { ...row.labels },
    site: site?.name ?? null,
    hasSecret: doorSecret !== null,
    createdAt: toInstant(createdAt),
    updatedAt: toInstant(updatedAt),
    isBuiltIn: row.name === OWN_SOURCE,
    counts: toCounts(totals),
  };
}

function toCounts({ behind, ahead, lastError, firstSeen, lastSeen, clients, ...totals }: SourceTotals) {
  return {
    ...totals,
    ...{ ignoredBy: { ...totals.ignoredBy }, refused: { ...totals.refused } },
    firstSeen: toInstantOrNull(firstSeen),
    lastSeen: toInstantOrNull(lastSeen),
    lastError: lastError && { ...lastError, at: toInstant(lastError.at) },
    skew: skewOf(behind, ahead),
    clients: clients === null ? null : clients,
  };
}

/** Percentiles of how far event times are behind the log's; negative: ahead of it. */
function skewOf(behind: readonly number[], ahead: readonly number[]): { p50Ms: number; p99Ms: number } | null {
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  const [late, early] = [sum(behind), sum(ahead)];
  if (late + early === 0) return null;
  const at = (share: number) => {
    // From the furthest ahead to the furthest behind.
    const rank = share * (late + early);
    if (rank > early) return histogramPercentile(behind, (rank - early) / late) ?? 0;
    return -(histogramPercentile(ahead, 1 - rank / early) ?? 0);
  };
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

export function toHandshake({ at, confirmedAt, ...rest }: Handshake): z.input<typeof sourceHandshake> {
  return { ...rest, at: toInstant(at), confirmedAt: toInstantOrNull(confirmedAt) };
}

export function toMapping({ createdAt, version, mapping, note, madeBy }: MappingRow): z.input<typeof sourceMapping> {
  return { version, mapping, note, madeBy, createdAt: toInstant(createdAt) };
}

/**
 * The source of this name, at the sites the call is about.
 * @throws ProblemError not-found. @throws NotHereError when the caller sees it but may not do that there.
 */
export async function sourceAt(ctx: Context | WritingContext, name: string, lock = false): Promise<SourceRow> {
  const row = await findSource(ctx.tx as Pool | PoolClient, name, lock);
  try {
    return await within(
      ctx,
      async (sites) => (row !== null && isAt(row, sites) ? row : null),
      () => new ProblemError("not-found", `There is no source ${name}.`),
    );
  } catch (error) {
    if (error instanceof NotHereError) throw new NotHereError(row?.site ? atSite(row.site.name) : EVERYWHERE);
    throw error;
  }
}

/** True for a source at one of these sites; one of no site is at all of them alone. */
export function isAt({ site }: SourceRow, sites: Sites): boolean {
  return sites === "all" || (site !== null && sites.includes(site.id));
}

/** @throws ProblemError for the one that can't be changed. */
export function mustBeOwn({ name }: SourceRow): void {
  if (name === OWN_SOURCE)
    throw new ProblemError(
      "wrong-status",
      `The source ${OWN_SOURCE} is the telemetry route's, as it is: make another one.`,
    );
}

/** What the audit record tells of a source. */
export function noteOfSource({ id: _, createdAt: __, updatedAt: ___, doorSecret, ...row }: SourceRow): object {
  return { ...row, site: row.site?.name ?? null, hasSecret: doorSecret !== null };
}
