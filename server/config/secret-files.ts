import { readFileSync } from "node:fs";

/** Path of the file each secret was read from, by the variable it stands for. */
export type SecretFiles = Readonly<Record<string, string>>;

/** The name of the variable that names a file with a secret. */
export function fileVariable(variable: string): string {
  return `${variable}_FILE`;
}

/** Reads a secret from its file, without the line break editors leave at the end. @throws Error when it can't be read or is empty. */
export function readSecretFile(file: string): string {
  const text = readFileSync(file, "utf8").replace(/\r?\n$/, "");
  if (text === "") throw new Error(`${file} is empty`);
  return text;
}

/**
 * A secret as it is now: its file may have been replaced since it was read first. While the file can't be read, the value of then stands.
 * @returns undefined when it is neither set nor has a file.
 */
export function currentSecret(files: SecretFiles, variable: string, loaded: string | undefined): string | undefined {
  const file = files[variable];
  if (file === undefined) return loaded;
  try {
    return readSecretFile(file);
  } catch {
    return loaded;
  }
}
