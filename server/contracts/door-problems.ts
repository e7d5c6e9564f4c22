/** The problems with which the front door refuses a request before any verb sees it. */
export const DOOR_PROBLEMS = {
  "unreadable-address": { status: 400, title: "The address cannot be read" },
  "foreign-origin": { status: 403, title: "The request comes from another site" },
  "method-not-allowed": { status: 405, title: "This address does not take that method" },
  "too-slow": { status: 408, title: "The request came too slowly" },
  "foreign-host": { status: 421, title: "This server does not answer for that host" },
  "too-many-connections": { status: 429, title: "Too many connections from one address" },
} as const;

export type DoorProblem = keyof typeof DOOR_PROBLEMS;
