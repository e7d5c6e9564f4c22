/** The cookie a browser signs in with; what it holds can't be read by scripts. */
export interface SessionCookie {
  /** The names it may come under. */
  readonly names: readonly string[];
  /** The header that sets it, or with null takes it away, for a request that came this way. */
  set(request: Request, secret: string | null): string;
}

/** A cookie of https can't be set or read from http. Cookies don't know ports: two Fieldwatches of one machine need two names. */
export function sessionCookie(port: number): SessionCookie {
  const plain = `fieldwatch-${port}`;
  const secure = "__Host-fieldwatch";
  return {
    names: [secure, plain],
    set(request, secret) {
      const isHttps = request.headers.get("x-forwarded-proto") === "https";
      const ended = secret === null ? "; Max-Age=0" : "";
      return `${isHttps ? secure : plain}=${secret ?? ""}; Path=/; HttpOnly; SameSite=Lax${isHttps ? "; Secure" : ""}${ended}`;
    },
  };
}
