/** The pages, in the order of the navigation, each with the key that follows `g`; `ofAllSites`: what it shows is of all sites together. */
export const PAGES = [
  { href: "/", label: "Overview", key: "o", ofAllSites: false },
  { href: "/devices", label: "Devices", key: "d", ofAllSites: false },
  { href: "/explore", label: "Explore", key: "x", ofAllSites: false },
  { href: "/alerts", label: "Alerts", key: "e", ofAllSites: false },
  { href: "/events", label: "Events", key: "v", ofAllSites: false },
  { href: "/metrics", label: "Metrics", key: "t", ofAllSites: false },
  { href: "/quality", label: "Quality", key: "q", ofAllSites: false },
  { href: "/sources", label: "Sources", key: "i", ofAllSites: false },
  { href: "/pipeline", label: "Pipeline", key: "p", ofAllSites: true },
  { href: "/dead-letters", label: "Dead letters", key: "l", ofAllSites: false },
  { href: "/jobs", label: "Jobs", key: "j", ofAllSites: true },
  { href: "/retention", label: "Retention", key: "r", ofAllSites: true },
  { href: "/health", label: "Health", key: "h", ofAllSites: true },
] as const;

/** The pages within Alerts, in order, for the line above each of them. */
export const ALERT_PAGES = [
  { href: "/alerts", label: "Inbox", ofAllSites: false },
  { href: "/alerts/rules", label: "Rules", ofAllSites: true },
  { href: "/alerts/why", label: "Why", ofAllSites: false },
  { href: "/alerts/silences", label: "Silences", ofAllSites: false },
  { href: "/alerts/channels", label: "Channels", ofAllSites: true },
] as const;

/** The pages within Quality, in order, for the line above each of them. */
export const QUALITY_PAGES = [
  { href: "/quality", label: "Series" },
  { href: "/quality/odd", label: "Odd now" },
] as const;

/** The pages within Metrics, in order, for the line above each of them. */
export const METRIC_PAGES = [
  { href: "/metrics", label: "Meaning" },
  { href: "/metrics/lineage", label: "Lineage" },
] as const;

/** The pages within Retention, in order, for the line above each of them. */
export const RETENTION_PAGES = [
  { href: "/retention", label: "Kept" },
  { href: "/retention/cost", label: "Cost" },
] as const;

/** Pages for those who let others in, each with the permission it takes; below the others. */
export const ADMIN_PAGES = [
  { href: "/users", label: "Users", key: "u", permission: "administer" },
  { href: "/keys", label: "Keys", key: "k", permission: "make-keys" },
  { href: "/sign-in-settings", label: "Sign-in settings", key: "s", permission: "administer" },
  { href: "/audit", label: "Audit", key: "a", permission: "administer" },
] as const;

/** The page of whoever is signed in. */
export const ACCOUNT_PAGE = { href: "/account", label: "My account", key: "m" } as const;
