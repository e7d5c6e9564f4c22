import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { createSemaphore } from "@/server/async/semaphore";

/** OWASP's parameters for scrypt: 32 MiB a hash. https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html */
const COST = { ln: 15, r: 8, p: 3 } as const;
const BYTES = 32;
const derive = promisify<string, Buffer, number, object, Buffer>(scrypt);

/** Two at a time: each takes 32 MiB and some 100 ms of a core. */
const turns = createSemaphore(2);

const NEVER = new AbortController().signal;

/** The hash of no known password, so that an unknown account takes as long as a known one. */
const DECOY = phc(randomBytes(16), randomBytes(BYTES));

/** The hash to keep of a password: a PHC string, so that parameters and method can change later. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  return phc(salt, await derived(password, salt, COST));
}

/** Whether the password is the one of `kept`; for no account (null) it takes the same time and is false. */
export async function isPassword(password: string, kept: string | null): Promise<boolean> {
  const [, ln, r, p, salt, hash] = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/.exec(kept ?? DECOY) ?? [];
  if (salt === undefined || hash === undefined) return false;
  const wanted = Buffer.from(hash, "base64");
  const found = await derived(password, Buffer.from(salt, "base64"), { ln: Number(ln), r: Number(r), p: Number(p) });
  return wanted.length === BYTES && timingSafeEqual(found, wanted) && kept !== null;
}

async function derived(
  password: string,
  salt: Buffer,
  { ln, r, p }: { ln: number; r: number; p: number },
): Promise<Buffer> {
  await turns.acquire(NEVER);
  try {
    return await derive(password.normalize("NFKC"), salt, BYTES, { N: 2 ** ln, r, p, maxmem: 256 * 2 ** ln * r });
  } finally {
    turns.release();
  }
}

function phc(salt: Buffer, hash: Buffer): string {
  return `$scrypt$ln=${COST.ln},r=${COST.r},p=${COST.p}$${encoded(salt)}$${encoded(hash)}`;
}

function encoded(bytes: Buffer): string {
  return bytes.toString("base64").replaceAll("=", "");
}
