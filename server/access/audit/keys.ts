import { createHash, randomBytes } from "node:crypto";
import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { AuditFiles } from "@/server/config/audit-files";
import { makeFolderSync } from "@/server/config/make-folder.mjs";
import type { AuditKey } from "./canonical";

/** Shortest key, in characters. */
const SHORTEST = 32;

/**
 * The keys of a file, one a line: the first seals, all of them vouch for what they sealed.
 * @returns null when there is no such file.
 * @throws Error for a line too short to be a key.
 */
export function readAuditKeys(keyFile: string): readonly [AuditKey, ...AuditKey[]] | null {
  let text: string;
  try {
    text = readFileSync(keyFile, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  const lines = text.split("\n").map((line) => line.trim());
  const [first, ...others] = lines.filter((line) => line !== "");
  if (first === undefined || [first, ...others].some(({ length }) => length < SHORTEST))
    throw new Error(`${keyFile} must hold a key of ${SHORTEST} characters or more on each line.`);
  return [keyOf(first), ...others.map(keyOf)];
}

/** The keys to seal with. @throws Error when there are none and none may be made. */
export function ensureAuditKeys({
  keyFile,
  makesKey,
}: Pick<AuditFiles, "keyFile" | "makesKey">): readonly [AuditKey, ...AuditKey[]] {
  const there = readAuditKeys(keyFile);
  if (there !== null) return there;
  if (!makesKey) throw new Error(`FIELDWATCH_AUDIT_KEY_FILE names ${keyFile}, which isn't there.`);
  makeFolderSync(path.dirname(keyFile), 0o700);
  const unfinished = `${keyFile}.${process.pid}`;
  writeFileSync(unfinished, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600 });
  try {
    // Whole or not at all, and never over the key of another process.
    linkSync(unfinished, keyFile);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(unfinished, { force: true });
  }
  return readAuditKeys(keyFile)!;
}

function keyOf(secret: string): AuditKey {
  return { id: createHash("sha256").update("fieldwatch audit key").update(secret).digest("hex").slice(0, 16), secret };
}
