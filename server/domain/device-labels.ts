import { readLabel } from "./label";

/** What devices' labels are held to. */
export const DEVICE_LABELS = {
  /** The most a device has. */
  most: 32,
  /** The longest key, in characters. */
  keyLength: 64,
} as const;

/** The labels whose value is the name of the person a device belongs to: what is stored about a person is found by them. */
export const PERSON_LABELS: readonly string[] = ["person", "owner"];

/** Why a text can't be the key of a label, as the end of a sentence about it; null if it can. */
export function keyProblem(key: string): string | null {
  const read = readLabel(key, DEVICE_LABELS.keyLength);
  if ("problem" in read) return read.problem;
  if (read.label === null) return "must not be empty";
  return read.label === key && key !== "__proto__" ? null : "can't be kept as it is";
}

/** Labels as one text for lists of files, sorted by key: `floor:2; room:kitchen`. */
export function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.keys(labels)
    .sort()
    .map((key) => `${key}:${labels[key]}`)
    .join("; ");
}
