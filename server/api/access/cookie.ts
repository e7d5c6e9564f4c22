import type { CookieNames } from "@/server/access/authenticate";
import { isHttps } from "../address";

/** The cookie a browser signs in with; what it holds can't be read by scripts. */
export interface SessionCookie {
  readonly names: CookieNames;
  /** The header that sets it, or with null takes it away, for a request that came this way. */
  set(request: Request, secret: string | null): string;
}

/** A cookie of https can't be set or read from http. Cookies don't know ports: two Fieldwatches of one machine need two names. */
export function sessionCookie(port: number): SessionCookie {
  const names = { secure: "__Host-fieldwatch", plain: `fieldwatch-${port}` };
  return {
    names,
    set(request, secret) {
      const secure = isHttps(request);
      const ended = secret === null ? "; Max-Age=0" : "";
      return `${secure ? names.secure : names.plain}=${secret ?? ""}; Path=/; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}${ended}`;
    },
  };
}
