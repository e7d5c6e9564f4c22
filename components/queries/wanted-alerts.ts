import type { WantedAlerts } from "./alerts";
import { MOST_OPEN } from "./alerts";

export const SHOWN = ["firing", "acknowledged", "ended"] as const;
export type Shown = (typeof SHOWN)[number];

/** What the inbox shows, as its address says it. */
export interface View {
  readonly shown: Shown;
  readonly severity: "warning" | "critical" | null;
  readonly site: string | null;
  readonly rule: string | null;
  readonly device: string | null;
  /** The alert of a whole site that they are beneath. */
  readonly parent: string | null;
  /** How many are listed. */
  readonly limit: number;
}

/** How many alerts a page lists, and so many more each time it is asked for more. */
export const STEP = 100;

/** Reads what the address asks for; what it can't mean is left out. */
export function readView(address: URLSearchParams): View {
  const severity = address.get("severity");
  const rule = address.get("rule");
  const limit = Number(address.get("limit"));
  return {
    shown: SHOWN.find((one) => one === address.get("show")) ?? "firing",
    severity: severity === "warning" || severity === "critical" ? severity : null,
    site: address.get("site") || null,
    rule: rule !== null && /^[1-9]\d{0,8}$/.test(rule) ? rule : null,
    device: address.get("device") || null,
    parent: /^[1-9]\d{0,17}$/.exec(address.get("parent") ?? "")?.[0] ?? null,
    limit: Number.isInteger(limit) && limit > STEP ? Math.min(limit, MOST_OPEN) : STEP,
  };
}

/** What of the alerts a view wants. */
export function wantedOf({ shown, severity, site, rule, device, parent, limit }: View): WantedAlerts {
  return {
    // Those beneath the alert of their site are listed there, unless something names them.
    parent: parent ?? (rule === null && device === null ? "none" : undefined),
    order: shown === "ended" ? undefined : "worst",
    state: shown === "ended" ? "ended" : "open",
    acknowledged: shown === "acknowledged" ? "yes" : undefined,
    severity: severity ?? undefined,
    site: site ?? undefined,
    rule: rule ?? undefined,
    device: device ?? undefined,
    limit,
  };
}

/** True where a view leaves something out of what it shows. */
export function isFiltered({ severity, site, rule, device, parent }: View): boolean {
  return [severity, site, rule, device, parent].some((one) => one !== null);
}
