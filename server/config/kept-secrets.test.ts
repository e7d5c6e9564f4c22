import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadConfig } from "./config";
import { createKeptSecrets, isSealed } from "./kept-secrets";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-secrets-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const kept = (env: Record<string, string> = {}) =>
  createKeptSecrets(loadConfig({ FIELDWATCH_DATA_DIR: folder, ...env }, ""));

test("what one process seals another one of the same folder opens; nothing of it shows", () => {
  const sealed = kept().seal("pä$$ word", "source barn");
  expect(isSealed(sealed)).toBe(true);
  expect(sealed).not.toContain("word");
  expect(kept().seal("pä$$ word", "source barn")).not.toBe(sealed);
  expect(kept().open(sealed, "source barn")).toBe("pä$$ word");
  expect(kept().open(kept().seal("", "source barn"), "source barn")).toBe("");
  expect(statSync(path.join(folder, "secrets.key")).mode & 0o777).toBe(0o600);
});

test("what was kept in the clear comes back as it is", () => {
  expect(kept().open("plain", "source barn")).toBe("plain");
});

test("opened for another, or changed, it is refused", () => {
  const sealed = kept().seal("secret", "source barn");
  expect(() => kept().open(sealed, "source shed")).toThrow(/source shed was changed in the database/);
  const other = sealed.slice(0, -4) + (sealed.at(-4) === "A" ? "E" : "A") + sealed.slice(-3);
  expect(() => kept().open(other, "source barn")).toThrow(/was changed/);
});

test("without the file, or with another, it says which key and what to do, and opening makes none", () => {
  const sealed = kept().seal("secret", "source barn");
  const file = path.join(folder, "secrets.key");
  const text = readFileSync(file, "utf8");
  rmSync(file);
  expect(() => kept().open(sealed, "source barn")).toThrow(
    /encrypted with the key [0-9a-f]{16}.*secrets\.key isn't there/,
  );
  expect(() => statSync(file)).toThrow();
  writeFileSync(file, `${"n".repeat(40)}\n`);
  expect(() => kept().open(sealed, "source barn")).toThrow(/secrets\.key has [0-9a-f]{16}/);
  // A new key in front, the one of before below.
  writeFileSync(file, `${"n".repeat(40)}\n${text}`);
  expect(kept().open(sealed, "source barn")).toBe("secret");
});

test("SECRETS_KEY_FILE must be there, and is never made", () => {
  const SECRETS_KEY_FILE = path.join(folder, "elsewhere.key");
  expect(() => kept({ SECRETS_KEY_FILE })).toThrow(/SECRETS_KEY_FILE/);
  writeFileSync(SECRETS_KEY_FILE, "short\n");
  expect(() => kept({ SECRETS_KEY_FILE })).toThrow(/32 characters/);
  writeFileSync(SECRETS_KEY_FILE, "k".repeat(40));
  const secrets = kept({ SECRETS_KEY_FILE });
  expect(secrets.open(secrets.seal("secret", "a"), "a")).toBe("secret");
  rmSync(SECRETS_KEY_FILE);
  expect(() => secrets.seal("secret", "a")).toThrow(/holds no key/);
});
