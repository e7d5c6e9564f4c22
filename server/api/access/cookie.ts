import { cookiesIn, type CookieNames } from "@/server/access/authenticate";
import { isHttps } from "../address";

/** A cookie of ours; what it holds can't be read by scripts. */
export interface Cookie {
  readonly names: CookieNames;
  /** The header that sets it, or with null takes it away, for a request that came this way. */
  set(request: Request, value: string | null): string;
  /** What a request's one holds; null without one, and with several. */
  read(request: Request): string | null;
}

/** The cookie a browser is signed in by. */
export function sessionCookie(port: number): Cookie {
  return createCookie("fieldwatch", port, null);
}

/** The cookie of a browser that is on its way to the identity provider and back. */
export function attemptCookie(port: number, forMs: number): Cookie {
  return createCookie("fieldwatch-oidc", port, forMs);
}

/** The cookie of a browser from which somebody's right password came: wrong ones from elsewhere don't keep it waiting. */
export function knownCookie(port: number, forMs: number): Cookie {
  return createCookie("fieldwatch-known", port, forMs);
}

/** A cookie of https can't be set or read from http. Cookies don't know ports: two Fieldwatches of one machine need two names. */
function createCookie(name: string, port: number, forMs: number | null): Cookie {
  const names = { secure: `__Host-${name}`, plain: `${name}-${port}` };
  const nameFor = (request: Request) => (isHttps(request) ? names.secure : names.plain);
  return {
    names,
    set(request, value) {
      const secure = isHttps(request) ? "; Secure" : "";
      const age = value === null ? "; Max-Age=0" : forMs === null ? "" : `; Max-Age=${forMs / 1000}`;
      return `${nameFor(request)}=${value ?? ""}; Path=/; HttpOnly; SameSite=Lax${secure}${age}`;
    },
    read(request) {
      const [value = null, another] = cookiesIn(request.headers.get("cookie"), nameFor(request));
      return another === undefined ? value : null;
    },
  };
}
