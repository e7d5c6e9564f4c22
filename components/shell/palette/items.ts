import type { DeviceView } from "@/server/contracts/devices";
import { DEAD_LETTER_REASONS } from "@/server/domain/reasons";
import { toSegment } from "@/server/domain/segment";
import { readable } from "@/server/domain/readable";
import { exploreAddress } from "../../queries/explore";
import type { PageLink } from "../pages";
import { type Match, match } from "./match";

type PaletteGroup = "Recent devices" | "Devices" | "Metrics" | "Explore" | "Sources" | "Pages" | "Actions";

/** One choice of the palette: a place to go to, or something to do. */
export interface PaletteItem {
  readonly id: string;
  readonly group: PaletteGroup;
  readonly label: string;
  /** Said beside it, and not searched. */
  readonly detail?: string;
  /** Keys that do the same without the palette. */
  readonly keys?: string;
  /** Other words people call it by. */
  readonly also?: string;
  /** Shown only when it is searched for. */
  readonly isHidden?: boolean;
  readonly to: { readonly href: string } | { readonly action: PaletteAction };
}

export type PaletteAction =
  | "help"
  | "print"
  | "light"
  | "dark"
  | "auto"
  | "local"
  | "UTC"
  | "copy"
  | "pin"
  | "unpin"
  | "signOut";

/** An item with the letters of its label that matched. */
export interface RankedItem extends PaletteItem {
  readonly at: Match["at"];
}

/** The state that decides which actions are offered. */
export interface PaletteContext {
  /** Those that who is signed in can go to. */
  readonly pages: readonly PageLink[];
  readonly scheme: "light" | "dark";
  readonly zone: "local" | "UTC";
  /** The device whose page is shown. */
  readonly device: string | null;
  readonly isPinned: boolean;
}

/** Most of a group that are shown when something is searched for. */
const MOST = 6;

/** Everything but devices. */
export function standingItems({ pages, scheme, zone, device, isPinned }: PaletteContext): PaletteItem[] {
  const action = (id: PaletteAction, label: string, more: Partial<PaletteItem> = {}): PaletteItem => ({
    id: `action ${id}`,
    group: "Actions",
    label,
    to: { action: id },
    ...more,
  });
  const page = (href: string, label: string, more: Partial<PaletteItem> = {}): PaletteItem => ({
    id: `page ${href}`,
    group: "Pages",
    label,
    to: { href },
    ...more,
  });
  return [
    ...pages.map(({ href, label, key }) => page(href, label, { keys: `g ${key}` })),
    ...(pages.some(({ href }) => href === "/health")
      ? [
          page("/?wall=1", "Overview on a wall", { also: "full screen tv kiosk" }),
          page("/health#checklist", "First-run checklist", { also: "setup onboarding", isHidden: true }),
        ]
      : []),
    page("/alerts/why", "Why an alert fired, or didn’t", { also: "explain reason rule" }),
    page("/sources?new=1", "New source", { also: "connect add mapping template mqtt webhook", isHidden: true }),
    ...(["silent", "stale", "new", "live"] as const).map((state) =>
      page(`/devices?state=${state}`, `Devices: ${state}`, { isHidden: true }),
    ),
    ...Object.entries(DEAD_LETTER_REASONS).map(([reason, { title }]) =>
      page(`/dead-letters?reason=${reason}`, `Dead letters: ${title.toLowerCase()}`, { isHidden: true }),
    ),
    ...(device === null
      ? []
      : [
          page(`/dead-letters?device=${encodeURIComponent(device)}`, `Dead letters of ${device}`),
          action(
            isPinned ? "unpin" : "pin",
            isPinned ? `Unpin ${device} from the overview` : `Pin ${device} to the overview`,
          ),
        ]),
    action("copy", "Copy link to this page", { also: "share url address" }),
    action("print", "Print this page", { also: "pdf paper save" }),
    scheme === "dark"
      ? action("light", "Switch to light", { also: "theme color scheme" })
      : action("dark", "Switch to dark", { also: "theme color scheme night" }),
    action("auto", "Light or dark as the system is", { also: "theme color scheme auto", isHidden: true }),
    zone === "UTC"
      ? action("local", "Show times in local time", { also: "zone timezone" })
      : action("UTC", "Show times in UTC", { also: "zone timezone" }),
    action("signOut", "Sign out", { also: "log out leave" }),
    action("help", "Keyboard help", { keys: "?", also: "shortcuts keys" }),
  ];
}

/** A device's labels, as they are looked for. */
export function labelled(labels: DeviceView["labels"]): string[] {
  return Object.entries(labels).map(([key, value]) => `${key}:${value}`);
}

/** A device as something to choose, for what was typed. */
export function deviceItem(
  id: string,
  group: "Recent devices" | "Devices",
  about: Pick<DeviceView, "site" | "type" | "labels"> = { site: null, type: null, labels: {} },
  typed = "",
): PaletteItem {
  // A label is told when it is what was looked for.
  const looked = typed.trim().toLowerCase();
  const found = looked !== "" && labelled(about.labels).find((label) => label.toLowerCase().includes(looked));
  const detail = readable([about.site, about.type, found].filter(Boolean).join(" · "));
  return {
    id: `device ${id}`,
    group,
    label: id,
    ...(detail ? { detail } : {}),
    to: { href: `/devices/${toSegment(id)}` },
  };
}

/** Metrics as something to search for: each leads to its line in the list of them. */
export function metricItems(
  metrics: readonly { readonly name: string; readonly unit: string | null }[],
): PaletteItem[] {
  return metrics.map(({ name, unit }) => ({
    ...{ id: `metric ${name}`, group: "Metrics", label: name, isHidden: true },
    ...(unit ? { detail: readable(unit) } : {}),
    to: { href: `/metrics?search=${encodeURIComponent(name)}` },
  }));
}

/** "<metric> of <site>" offers so many places at most. */
const MOST_PLACES = 20;

/** A metric side by side: by device, site or type; and of the devices of a site, once "of" is typed. */
export function exploreItems(
  typed: string,
  metrics: readonly { readonly name: string }[],
  sites: readonly string[],
): PaletteItem[] {
  const item = (label: string, href: string): PaletteItem => ({
    ...{ id: `explore ${label}`, group: "Explore", label, isHidden: true, to: { href } },
  });
  const [, of, place] = /^(.+?)\s+(?:of|at)\s+(.*)$/i.exec(typed.trim()) ?? [];
  const places =
    of === undefined || place === undefined
      ? []
      : metrics
          .filter(({ name }) => match(of, name))
          .flatMap(({ name }) => sites.filter((site) => match(place, site)).map((site) => ({ name, site })))
          .slice(0, MOST_PLACES)
          .map(({ name: metric, site }) => item(`${metric} of ${readable(site)}`, exploreAddress({ metric, site })));
  return [
    ...metrics.flatMap(({ name: metric }) =>
      (["device", "site", "type"] as const).map((by) => item(`${metric} by ${by}`, exploreAddress({ metric, by }))),
    ),
    ...places,
  ];
}

/** Sources as something to search for, by name or title. */
export function sourceItems(
  sources: readonly { readonly name: string; readonly title: string | null }[],
): PaletteItem[] {
  return sources.map(({ name, title }) => ({
    ...{ id: `source ${name}`, group: "Sources", label: name, isHidden: true },
    ...(title === null ? {} : { detail: readable(title), also: title }),
    to: { href: `/sources/${name}` },
  }));
}

/**
 * What is shown for what was typed, group by group: the group with the best match first, the best match first in each.
 * Devices were found by the server and keep its order, those it knows by site or type included.
 */
export function rank(typed: string, standing: readonly PaletteItem[], devices: readonly PaletteItem[]): RankedItem[] {
  if (typed.trim() === "")
    return [...devices, ...standing.filter(({ isHidden }) => !isHidden)].map((item) => ({ ...item, at: [] }));
  const groups = new Map<PaletteGroup, { item: RankedItem; score: number }[]>();
  const add = (item: PaletteItem, found: Match) => {
    const group = groups.get(item.group) ?? [];
    group.push({ item: { ...item, at: found.at }, score: found.score });
    groups.set(item.group, group);
  };
  for (const item of devices) add(item, match(typed, item.label) ?? { score: 30, at: [] });
  for (const item of standing) {
    const found = match(typed, item.label);
    // Another word for it counts less than its name.
    const other = found ?? wordOf(typed, item.also);
    if (other) add(item, item.isHidden ? { ...other, score: other.score - 5 } : other);
  }
  const best = (items: readonly { score: number }[]) => Math.max(...items.map(({ score }) => score));
  return [...groups.values()]
    .map((items) => items.toSorted((a, b) => b.score - a.score))
    .sort((a, b) => best(b) - best(a))
    .flatMap((items) => items.slice(0, MOST).map(({ item }) => item));
}

function wordOf(typed: string, also: string | undefined): Match | null {
  const found = also === undefined ? null : match(typed, also);
  return found && found.score >= 60 ? { score: found.score - 50, at: [] } : null;
}
