import { isLoopback } from "./loopback";

/** The dashboard's address as a person on this machine would type it. */
export function addressForPeople({ HOST, PORT }: { readonly HOST: string; readonly PORT: number }): string {
  const host = isLoopback(HOST) && HOST !== "::1" ? "localhost" : HOST;
  return `http://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${PORT}`;
}
