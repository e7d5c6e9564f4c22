/** What people and service accounts may be; each may do all that those before it may. */
export const ROLES = ["viewer", "operator", "editor", "admin"] as const;
export type Role = (typeof ROLES)[number];

export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text);
}

/** Kinds of keys: of a program with roles, of all devices of a site (or of every site), of one device, of a source. */
export const KEY_KINDS = ["service", "site", "device", "source"] as const;
export type KeyKind = (typeof KEY_KINDS)[number];

/** What a call may need: the least role that holds it, and the kinds of keys that hold it without any role. */
const HOLDERS = {
  /** Sees devices, readings, the pipeline and its health. */
  view: { from: "viewer", keys: [] },
  /** Sees messages and dead letters as they came, and saves readings as files. */
  "view-messages": { from: "operator", keys: [] },
  /** Resends, discards, runs jobs, sends test messages, skips batches. */
  operate: { from: "operator", keys: [] },
  /** Sends telemetry, and follows what became of it. */
  send: { from: "operator", keys: ["site", "device"] },
  /** Sends to sources in whatever shape they take; a source's key to that source alone. */
  deliver: { from: "operator", keys: ["source"] },
  /** Sees which metrics there are, and what they mean. */
  catalog: { from: "viewer", keys: ["site"] },
  /** Says what a metric means. */
  declare: { from: "editor", keys: ["site"] },
  /** Changes properties of devices. */
  edit: { from: "editor", keys: [] },
  /** Lets devices send, by keys of their own and of their sites. */
  "make-keys": { from: "editor", keys: [] },
  /** Lets people and programs in, and sees who did what. */
  administer: { from: "admin", keys: [] },
} as const satisfies Record<string, { from: Role; keys: readonly KeyKind[] }>;

export type Permission = keyof typeof HOLDERS;
export const PERMISSIONS = Object.keys(HOLDERS) as readonly Permission[];

/** The least role that holds a permission. */
export function leastRole(permission: Permission): Role {
  return HOLDERS[permission].from;
}

/** A role at one site, or at all of them and what belongs to none. */
export interface Grant {
  readonly role: Role;
  /** null: everywhere. */
  readonly siteId: number | null;
}

/** Where somebody may do something: everywhere, or at these sites alone. */
export type Sites = "all" | readonly number[];

/** Who asks for something. */
export type Caller =
  | { readonly kind: "system" }
  | {
      readonly kind: "nobody";
      /** What was wrong with what it showed. */
      readonly why?: string;
      /** It showed several sessions, of which any may be meant. */
      readonly isAmbiguous?: true;
      /** The key it showed, which is ours and lets nobody in, or not from there. */
      readonly key?: { readonly id: string; readonly name: string };
    }
  | {
      readonly kind: "user";
      readonly accountId: number;
      readonly name: string;
      readonly sessionId: string;
      /** When the session's person last proved who they are, epoch milliseconds. */
      readonly provenAt: number;
      readonly grants: readonly Grant[];
    }
  | {
      readonly kind: "key";
      readonly keyId: string;
      readonly name: string;
      readonly of: KeyKind;
      /** The one site it speaks for; null: any. */
      readonly siteId: number | null;
      /** The one device it speaks for; null: any. */
      readonly device: string | null;
      /** The one source it may send to, of a source's key. */
      readonly sourceId?: number;
      readonly grants: readonly Grant[];
    };

export const SYSTEM: Caller = { kind: "system" };
export const NOBODY: Caller = { kind: "nobody" };

/** Nobody, and why. @param key the one that was shown, with its right secret. */
export function nobody(why: string, key?: { readonly id: string; readonly name: string }): Caller {
  return { kind: "nobody", why, ...(key && { key }) };
}

/** The sites at which `caller` holds `permission`. A permission counts only at the site of the grant it comes from. */
export function sitesOf(caller: Caller, permission: Permission): Sites {
  if (caller.kind === "system") return "all";
  if (caller.kind === "nobody") return [];
  const { from, keys } = HOLDERS[permission];
  const byKind = caller.kind === "key" && (keys as readonly KeyKind[]).includes(caller.of) ? [caller.siteId] : [];
  // Asked for with each request: who may it everywhere, as most do, is told without looking at roles.
  if (byKind[0] === null) return "all";
  const least = ROLES.indexOf(from);
  const places = caller.grants.filter(({ role }) => ROLES.indexOf(role) >= least).map(({ siteId }) => siteId);
  if (places.includes(null)) return "all";
  return [...new Set([...byKind, ...places] as number[])].sort((a, b) => a - b);
}

/** What outlives a session (users, keys) is done only by people who have proven who they are so recently. */
export const STEP_UP_MS = 600_000;

/** @param provenAt when the session's person last proved who they are. */
export function hasProven(provenAt: number, now: number): boolean {
  return now - provenAt < STEP_UP_MS;
}

/** By what records tell a caller from others of its kind; null where there is nothing. */
export function idOf(caller: Caller): string | null {
  if (caller.kind === "user") return String(caller.accountId);
  if (caller.kind === "key") return caller.keyId;
  return caller.kind === "nobody" ? (caller.key?.id ?? null) : null;
}

/** Who did something, as what isn't the audit record keeps it: a person by their number, which tells nothing once the account is removed. */
export interface Signature {
  readonly text: string;
  /** Whose name is shown in place of the text, as long as there is the account. */
  readonly accountId: number | null;
}

export function signatureOf(caller: Caller): Signature {
  if (caller.kind !== "user") return { text: nameOf(caller), accountId: null };
  return { text: `user ${caller.accountId}`, accountId: caller.accountId };
}

/** How a caller is named in records: for people, not for decisions. */
export function nameOf(caller: Caller): string {
  if (caller.kind === "nobody") return caller.key?.name ?? caller.kind;
  return caller.kind === "system" ? caller.kind : caller.name;
}
