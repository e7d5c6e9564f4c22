/** Where a request comes from: what the nearest hop that is believed has said. */
export function addressOf(request: Request): string | null {
  return request.headers.get("x-forwarded-for")?.split(",").at(-1)?.trim() || null;
}
