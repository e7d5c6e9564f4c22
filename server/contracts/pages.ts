/** The pages, in the order of the navigation, each with the key that follows `g`. */
export const PAGES = [
  { href: "/", label: "Overview", key: "o" },
  { href: "/devices", label: "Devices", key: "d" },
  { href: "/pipeline", label: "Pipeline", key: "p" },
  { href: "/dead-letters", label: "Dead letters", key: "l" },
  { href: "/jobs", label: "Jobs", key: "j" },
  { href: "/health", label: "Health", key: "h" },
] as const;
