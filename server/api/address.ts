import type { Credentials } from "@/server/access/authenticate";

/** Whether a request came encrypted, at least to the nearest hop that is believed. */
export function isHttps(request: Request): boolean {
  return request.headers.get("x-forwarded-proto")?.split(",").at(-1)?.trim() === "https";
}

/** Where a request comes from: what the nearest hop that is believed has said. */
export function addressOf(request: Request): string | null {
  return request.headers.get("x-forwarded-for")?.split(",").at(-1)?.trim() || null;
}

/** What the caller of a request shows. */
export function credentialsIn(request: Request): Credentials {
  const { headers } = request;
  return {
    ...{ cookie: headers.get("cookie"), authorization: headers.get("authorization") },
    ...{ address: addressOf(request), isHttps: isHttps(request) },
  };
}
