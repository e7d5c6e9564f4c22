import type * as crypto from "node:crypto";
import { promisify } from "node:util";

type Scrypt = (
  password: crypto.BinaryLike,
  salt: crypto.BinaryLike,
  length: number,
  options: crypto.ScryptOptions,
) => Promise<Buffer>;

/** How many passwords were hashed or compared in this test file since somebody set it to 0, and what happens meanwhile. */
export const scrypts: { count: number; meanwhile?: (() => Promise<unknown>) | undefined } = { count: 0 };

/**
 * node:crypto with a scrypt that does a sixteenth of the work it is asked for, in the same way, and counts. For tests of what is done with
 * passwords, not of what a hash costs, which server/access/passwords.test.ts holds:
 * `vi.mock("node:crypto", async (original) => (await import("@/server/testing/lighter-scrypt")).withLighterScrypt(await original()));`
 */
export function withLighterScrypt(real: typeof crypto): typeof crypto {
  const lighter: Scrypt = async (password, salt, length, options) => {
    scrypts.count += 1;
    await scrypts.meanwhile?.();
    return (promisify(real.scrypt) as Scrypt)(password, salt, length, { ...options, N: (options.N ?? 16_384) / 16 });
  };
  // promisify goes by this symbol; nobody here calls it with a callback.
  const scrypt = Object.assign(real.scrypt.bind(real), { [promisify.custom]: lighter });
  return { ...real, scrypt } as typeof crypto;
}
