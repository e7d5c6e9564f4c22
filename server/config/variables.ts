import { z } from "zod";

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

/** The section a table of variables reads into. */
export type Section<T extends Record<string, Variable>> = { readonly [K in keyof T]: z.output<T[K]["schema"]> };
