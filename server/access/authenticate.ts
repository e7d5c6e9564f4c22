import type { Pool } from "pg";
import { inBatches } from "@/server/async/in-batches";
import { type Caller, NOBODY, nobody } from "@/server/domain/access";
import { createKnownCallers, type Found } from "./known-callers";
import { createKeyCheck } from "./key-check";
import { isSecret } from "./secrets";
import { findSessions } from "./sessions";

/** What a caller shows: its cookies, its Authorization header, and how and from where it comes. */
export interface Credentials {
  readonly cookie: string | null;
  readonly authorization: string | null;
  readonly address: string | null;
  readonly isHttps: boolean;
}

/**
 * What may have changed: sessions and roles of people, keys and their roles, what of the catalog decides who may send for a device, sources; or
 * anything, as something may have been missed.
 */
export type Changed = "people" | "keys" | "catalog" | "sources" | "anything";

export interface Authenticator {
  /** Who this is; nobody, with the reason, for what is missing, unknown or ended. @throws when PostgreSQL is away and it isn't known from before. */
  callerOf(credentials: Credentials): Promise<Caller>;
  /** Asks again for who may have changed. */
  forget(changed: Changed): void;
}

/** So long a session is known without asking again; forget() cuts it short. */
const SESSION_MS = 5000;
/** Sessions asked for at once: however many guess, they take one connection of the pool. */
const MOST_AT_ONCE = 500;

/** The session's cookie over https, and the one over http: what another page has set on http is worth nothing on https. */
export interface CookieNames {
  readonly secure: string;
  readonly plain: string;
}

/** Tells callers by the cookie of this name, or by a key as bearer token. */
export function createAuthenticator(pool: Pool, cookies: CookieNames, keys = createKeyCheck(pool)): Authenticator {
  // Apart, so that a key shown as a cookie is no caller.
  const people = createKnownCallers<Found>(SESSION_MS);
  const findSession = inBatches(MOST_AT_ONCE, (secrets: readonly string[]) => findSessions(pool, secrets));

  async function personOf(secret: string): Promise<Caller> {
    const { caller } = await people.get(secret, async () => {
      const found = await findSession(secret);
      return found ?? { caller: nobody(ENDED), lastsMs: Infinity };
    });
    return caller;
  }

  return {
    async callerOf({ cookie, authorization, address, isHttps }) {
      if (authorization !== null) {
        const isBearer = authorization.startsWith("Bearer ") || /^bearer /i.test(authorization);
        return isBearer ? keys.callerOf(authorization.slice("bearer ".length).trim(), address) : NO_BEARER;
      }
      const secrets = cookiesIn(cookie, isHttps ? cookies.secure : cookies.plain);
      if (secrets.length === 0) return NOBODY;
      if (secrets.length > MOST_COOKIES) return TWO_COOKIES;
      const [first, second] = (await Promise.all(secrets.filter(isSecret).map(personOf))).filter(
        ({ kind }) => kind === "user",
      );
      return second === undefined ? (first ?? nobody(ENDED)) : TWO_COOKIES;
    },
    forget(changed) {
      if (changed === "people") people.forget();
      else if (changed === "keys") keys.forget();
      else if (changed === "anything") for (const known of [people, keys]) known.doubt();
    },
  };
}

const NO_BEARER = nobody("The Authorization header holds no key: it must be `Bearer fw…`, whole.");
const ENDED = "The session has ended.";
/** Over plain HTTP a page on another port of this host can put a session of its own beside ours: which one is meant can't be told. */
const TWO_COOKIES: Caller = {
  ...{ kind: "nobody", isAmbiguous: true },
  why: "There are two session cookies: clear this host's cookies in the browser, and sign in again.",
};
/** Cookies of our name that are looked at; a browser of somebody's has one. */
const MOST_COOKIES = 8;

/** The different values that a Cookie header has under this name: more than one only if another page has set some. */
export function cookiesIn(header: string | null, wanted: string): string[] {
  const values = new Set<string>();
  for (const part of header?.split(";") ?? []) {
    const [name = "", value = ""] = part.trim().split("=", 2);
    if (name === wanted && value !== "") values.add(value);
  }
  return [...values];
}
