import { type Caller, nobody } from "@/server/domain/access";

/** The parameter of an address that holds a key, at doors of sources and nowhere else: some devices can say it nowhere else. */
export const KEY_PARAMETER = "key";

/**
 * The key a request to a source's door shows: as Bearer or Token, as the password of Basic (or its user name, without one), as X-Api-Key, or as
 * `?key=`; null for none. Cookies are no keys: whatever page leads a browser here, it speaks for nobody.
 */
function keyIn({ headers, url }: Pick<Request, "headers" | "url">): string | null {
  const authorization = headers.get("authorization");
  if (authorization !== null) {
    const [, scheme = "", text = ""] = /^(\S+) +(\S+)$/.exec(authorization.trim()) ?? [];
    if (/^(bearer|token)$/i.test(scheme)) return text;
    if (/^basic$/i.test(scheme)) {
      const [user = "", ...password] = Buffer.from(text, "base64").toString("utf8").split(":");
      return password.join(":") || user;
    }
  }
  return headers.get("x-api-key") ?? new URL(url).searchParams.get(KEY_PARAMETER);
}

/** Who a request to a source's door is from. */
export function doorCaller(
  keys: { callerOf(text: string, address: string | null): Caller | Promise<Caller> },
  addressOf: (request: Request) => string | null,
): (request: Request) => Promise<Caller> {
  return async (request) => {
    const key = keyIn(request);
    if (key === null) return NO_KEY;
    return keys.callerOf(key.trim(), addressOf(request));
  };
}

const NO_KEY = nobody(
  "There is no key: send one as `Authorization: Bearer …`, `Token …`, the password of Basic, X-Api-Key, or ?key=.",
);
