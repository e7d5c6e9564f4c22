/** The pages whose addresses can be saved: where they are, and the parameters that are kept, in the order they are written. */
export const VIEW_PAGES = {
  explore: {
    href: "/explore",
    label: "Explore",
    all: "Anything",
    parameters: [
      ...(["metric", "devices", "by", "search", "site", "state", "label", "conflicts", "where"] as const),
      ...(["range", "from", "to", "previous", "sort", "off"] as const),
    ],
  },
  devices: {
    href: "/devices",
    label: "Devices",
    all: "All devices",
    parameters: ["search", "site", "state", "label", "conflicts", "where", "sort", "columns", "trend"],
  },
  events: {
    href: "/events",
    label: "Events",
    all: "All events",
    parameters: ["kinds", "severity", "site", "device", "q", "span", "from", "to"],
  },
  alerts: {
    href: "/alerts",
    label: "Alerts",
    all: "All alerts",
    parameters: ["show", "severity", "site", "rule", "device"],
  },
} as const satisfies Record<
  string,
  { href: string; label: string; /** What the page without a view is called. */ all: string; parameters: string[] }
>;

/** A page whose address can be saved. */
export type ViewPage = keyof typeof VIEW_PAGES;

/** The parameter of an address that names the view that was opened, beside all that the view says. */
export const OPENED = "view";

/** What of a page's address a view keeps: its parameters, without what only says which row is open. */
export function viewQueryOf(page: ViewPage, address: URLSearchParams): string {
  const kept = new URLSearchParams();
  for (const name of VIEW_PAGES[page].parameters)
    for (const value of address.getAll(name)) if (value !== "") kept.append(name, value);
  return kept.toString();
}

/** The address that opens a view. */
export function addressOf({ id, page, query }: { id: number; page: ViewPage; query: string }): string {
  return `${VIEW_PAGES[page].href}?${OPENED}=${id}${query === "" ? "" : `&${query}`}`;
}

/** Longest name of a saved view, in characters. */
export const VIEW_NAME_LENGTH = 60;
