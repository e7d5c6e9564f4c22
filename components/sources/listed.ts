import type { SourcesAnswer, SourceView } from "@/server/contracts/sources";
import { type Standing, STANDINGS, standingOf } from "./standing";

/** A source as the list shows it. */
export interface ListedSource {
  readonly source: SourceView;
  /** The title of its kind. */
  readonly kind: string;
  readonly standing: Standing;
}

/** What the address asks for; what it can't mean is as nothing. */
export interface Wanted {
  readonly search: string;
  readonly only: Standing | null;
}

export function readWanted(address: URLSearchParams): Wanted {
  const only = address.get("only") ?? "";
  return {
    search: address.get("search") ?? "",
    only: Object.hasOwn(STANDINGS, only) ? (only as Standing) : null,
  };
}

/** The sources with the titles of their kinds and how they stand at `now`, epoch milliseconds. */
export function listedSources(
  { items, troubles }: Pick<SourcesAnswer, "items" | "troubles">,
  titles: ReadonlyMap<string, string>,
  now: number,
): readonly ListedSource[] {
  return items.map((source) => ({
    source,
    kind: titles.get(source.kind) ?? source.kind,
    standing: standingOf(source, now, troubles[source.name]),
  }));
}

/** True if part of its name, title, kind, site or labels is what is searched for. */
export function isFound({ source, kind }: ListedSource, search: string): boolean {
  const text = search.toLowerCase();
  const { name, title, site, labels } = source;
  return [name, title, kind, site, ...Object.entries(labels).map(([key, value]) => `${key}: ${value}`)].some((part) =>
    part?.toLowerCase().includes(text),
  );
}
