import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";
import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type Config, ConfigError } from "./config";
import { makeFolderSync } from "./make-folder.mjs";

/** Secrets that the database keeps: encrypted under a key that it doesn't hold. */
export interface KeptSecrets {
  /**
   * Encrypts a secret of `whose`, which alone it can be opened for. Makes the key of the data folder when there is none.
   * @throws KeptSecretError when there is no key to do it with.
   */
  seal(secret: string, whose: string): string;
  /** Decrypts what was sealed; what a version before has kept in the clear comes back as it is. @throws KeptSecretError */
  open(kept: string, whose: string): string;
}

/** A secret can't be read or kept, with the remedy. */
export class KeptSecretError extends Error {
  override readonly name = "KeptSecretError";
  constructor(
    message: string,
    readonly fix: string,
  ) {
    super(message);
  }
}

interface Key {
  /** Tells keys apart, and nothing about them. */
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** Shortest key, in characters. */
const SHORTEST = 32;
const MARK = "sealed";
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** True for what {@link KeptSecrets} has encrypted. */
export function isSealed(kept: string): boolean {
  return new RegExp(`^${MARK}\\.[0-9a-f]{16}\\.[\\w-]{38,}$`).test(kept);
}

/** Where the keys are, one a line: the first encrypts, all of them decrypt. */
function secretsKeyFile({ access, dataDir }: Pick<Config, "access" | "dataDir">): {
  readonly keyFile: string;
  /** True for the one in the data folder, which is made when it isn't there. */
  readonly makesKey: boolean;
} {
  const { SECRETS_KEY_FILE: named } = access;
  return { keyFile: path.resolve(named ?? path.join(dataDir, "secrets.key")), makesKey: named === undefined };
}

/**
 * Keeps secrets by the key file of the configuration, which is read each time, as it may have been put there meanwhile.
 * @throws ConfigError when SECRETS_KEY_FILE names what is no file of keys.
 */
export function createKeptSecrets(config: Pick<Config, "access" | "dataDir">): KeptSecrets {
  const { keyFile, makesKey } = secretsKeyFile(config);
  if (!makesKey && keysIn(keyFile).length === 0)
    throw new ConfigError([
      {
        variable: "SECRETS_KEY_FILE",
        problem: `names ${keyFile}, which isn't there or has a line of fewer than ${SHORTEST} characters`,
        example: "/run/secrets/secrets_key",
      },
    ]);

  function firstKey(): Key {
    let [key] = keysIn(keyFile);
    if (key === undefined && makesKey) {
      makeKeyFile(keyFile);
      [key] = keysIn(keyFile);
    }
    if (key !== undefined) return key;
    throw new KeptSecretError(
      `${keyFile} holds no key to encrypt passwords with.`,
      `Put the file of keys there again.`,
    );
  }

  return {
    seal(secret, whose) {
      const { id, bytes } = firstKey();
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv("aes-256-gcm", bytes, iv).setAAD(Buffer.from(whose));
      const sealed = Buffer.concat([iv, cipher.update(secret, "utf8"), cipher.final(), cipher.getAuthTag()]);
      return [MARK, id, sealed.toString("base64url")].join(".");
    },
    open(kept, whose) {
      if (!isSealed(kept)) return kept;
      const [, id, text] = kept.split(".") as [string, string, string];
      const keys = keysIn(keyFile);
      const key = keys.find((one) => one.id === id);
      if (key === undefined) {
        const have = keys.length === 0 ? "isn't there" : `has ${keys.map((one) => one.id).join(", ")}`;
        throw new KeptSecretError(
          `The password of ${whose} is encrypted with the key ${id}, and ${keyFile} ${have}.`,
          "Give this process the key file of the one that took the password (SECRETS_KEY_FILE, or secrets.key in its data folder), or enter the password again.",
        );
      }
      const sealed = Buffer.from(text, "base64url");
      try {
        const decipher = createDecipheriv("aes-256-gcm", key.bytes, sealed.subarray(0, IV_BYTES), {
          authTagLength: TAG_BYTES,
        });
        decipher.setAAD(Buffer.from(whose)).setAuthTag(sealed.subarray(-TAG_BYTES));
        return decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES), undefined, "utf8") + decipher.final("utf8");
      } catch {
        throw new KeptSecretError(
          `The password of ${whose} was changed in the database, or belongs to something else.`,
          "Enter the password again.",
        );
      }
    },
  };
}

/** The keys of a file; none when it isn't there or one of them is too short. */
function keysIn(file: string): Key[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return [];
  }
  const lines = text.split("\n").flatMap((line) => line.trim() || []);
  if (lines.some(({ length }) => length < SHORTEST)) return [];
  return lines.map((line) => ({
    id: createHash("sha256").update("fieldwatch secrets key").update(line).digest("hex").slice(0, 16),
    bytes: new Uint8Array(hkdfSync("sha256", line, "", "fieldwatch kept secrets 1", 32)),
  }));
}

/** Whole or not at all, never readable by others, and never over the key of another process. */
function makeKeyFile(file: string): void {
  const unfinished = `${file}.${process.pid}`;
  try {
    makeFolderSync(path.dirname(file), 0o700);
    writeFileSync(unfinished, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600, flush: true });
    linkSync(unfinished, file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "EEXIST")
      throw new KeptSecretError(
        `A key to encrypt passwords with can't be made: ${message}.`,
        "See that the data folder can be written to, or set SECRETS_KEY_FILE, for web and intake the same.",
      );
  } finally {
    rmSync(unfinished, { force: true });
  }
}
