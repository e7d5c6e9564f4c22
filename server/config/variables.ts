import { isIP } from "node:net";
import { z } from "zod";
import { readRoleRules, type RoleRule } from "@/server/domain/provider-roles";
import { isLoopback } from "./loopback";

/** One environment variable: how it is read, what it means, and a value to copy. */
export interface Variable<T extends z.ZodType = z.ZodType> {
  readonly schema: T;
  readonly about: string;
  readonly example: string;
  /** Shown as *** in logs. */
  readonly secret?: boolean;
}

export function variable<T extends z.ZodType>(
  schema: T,
  about: string,
  example: string,
  options: { secret?: boolean } = {},
): Variable<T> {
  return { schema, about, example, ...options };
}

/** A whole number written in decimal. */
export function whole(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/, "must be a whole number")
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be from ${min} to ${max}`);
}

/** true or false. */
export function flag() {
  return z.enum(["true", "false"], "must be true or false").transform((text) => text === "true");
}

/** An address of PostgreSQL. */
export function postgresUrl() {
  return z
    .string()
    .refine(
      (text) => /^postgres(ql)?:$/.test(URL.canParse(text) ? new URL(text).protocol : ""),
      "must be a postgresql:// URL",
    );
}

/** Reads "host:port,host:port". IPv6 addresses are refused: kafkajs would take what is before their first colon for the host. */
export function addresses(text: string, context: z.RefinementCtx): string[] {
  const list = text.split(",").map((address) => address.trim());
  for (const address of list) {
    const [, port] = /^[^\s:/@[\]]+:(\d{1,5})$/.exec(address) ?? [];
    if (port !== undefined && Number(port) >= 1 && Number(port) <= 65535) continue;
    const message = address.startsWith("[")
      ? `must name hosts; "${address}" is an IPv6 address, for which the Kafka client needs a name (from DNS or /etc/hosts)`
      : `must be host:port with commas between; "${address}" is not`;
    context.addIssue({ code: "custom", message });
  }
  return list;
}

/** Reads the address people open as its origin. */
export function publicOrigin(text: string, context: z.RefinementCtx): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const refuse = (message: string) => context.addIssue({ code: "custom", message });
  if (url === null || !/^https?:$/.test(url.protocol)) refuse("must be an http:// or https:// address");
  else if (url.pathname !== "/")
    refuse(
      `has the path ${url.pathname}: Fieldwatch works only at the root of a host, so give it a host name of its own`,
    );
  else if (url.href !== `${url.origin}/`) refuse("must be a scheme, a host and perhaps a port, and nothing more");
  return url?.origin ?? "";
}

/** Reads the address of an identity provider. Kept as it is written: the provider names itself exactly so. */
export function issuer(text: string, context: z.RefinementCtx): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const refuse = (message: string) => context.addIssue({ code: "custom", message });
  if (url === null || !/^https?:$/.test(url.protocol)) refuse("must be an https:// address");
  else if (url.protocol === "http:" && !isLoopback(url.hostname))
    refuse("must be an https:// address; http:// only on this machine");
  else if (url.search !== "" || url.hash !== "" || url.username !== "")
    refuse("must be a scheme, a host and perhaps a path, and nothing more");
  return text;
}

/** Reads "group=role;group=role:site". */
export function roleRules(text: string, context: z.RefinementCtx): readonly RoleRule[] {
  const rules = readRoleRules(text);
  if (!("wrong" in rules)) return rules;
  const message = `must be group=role or group=role:site with semicolons between; "${rules.wrong}" is not one`;
  context.addIssue({ code: "custom", message });
  return [];
}

/** Reads "host,host:port"; what is empty between commas is left out. */
export function hosts(text: string, context: z.RefinementCtx): string[] {
  return list(text, context, {
    isGood: (host) => /^(\[[\da-f:.]+\]|[\da-z._-]+)(:\d{1,5})?$/i.test(host) && URL.canParse(`http://${host}`),
    problem: (host) => `must be hosts such as iot.example or 10.0.0.7:3000 with commas between; "${host}" is not one`,
  });
}

/** Reads "address,address/bits"; what is empty between commas is left out. */
export function networks(text: string, context: z.RefinementCtx): string[] {
  return list(text, context, {
    isGood(network) {
      const [address = "", bits, more] = network.split("/");
      const [least, most] = isIP(address) === 6 ? [7, 128] : [8, 32];
      return (
        isIP(address) > 0 &&
        more === undefined &&
        (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) >= least && Number(bits) <= most))
      );
    },
    problem: (network) =>
      `must be addresses or networks such as 10.0.0.7 or 10.0.0.0/8 with commas between, none wider than 10.0.0.0/8 or fc00::/7; "${network}" is not one`,
  });
}

function list(
  text: string,
  context: z.RefinementCtx,
  { isGood, problem }: { isGood: (each: string) => boolean; problem: (each: string) => string },
): string[] {
  const all = text
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");
  for (const each of all) if (!isGood(each)) context.addIssue({ code: "custom", message: problem(each) });
  return all;
}

/** The section a table of variables reads into. */
export type Section<T extends Record<string, Variable>> = { readonly [K in keyof T]: z.output<T[K]["schema"]> };
