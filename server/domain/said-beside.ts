import { DEVICE_LABELS, keyProblem } from "./device-labels";
import { describe, isObject, own } from "./json-values";
import { readLabel, UNIT_LENGTH } from "./label";
import type { DecodedMessage, RefusedLabel } from "./message";
import { refusal } from "./reasons";

/** What a message says beside its readings. */
type MessageBeside = Pick<DecodedMessage, "site" | "type" | "units" | "labels">;

/** Reads what a message says beside its readings; what can't be kept goes to `refusedLabels`. */
export function readBeside(json: object, refusedLabels: RefusedLabel[]): MessageBeside | null {
  let kept: { -readonly [Member in keyof MessageBeside]: MessageBeside[Member] } | null = null;
  for (const field of ["site", "type"] as const) {
    const value = own(json, field);
    if (value === undefined) continue;
    const read = readLabel(value);
    if ("problem" in read)
      refusedLabels.push({
        field,
        value,
        ...refusal("badLabel", `${field} is ${describe(value)}; it ${read.problem}`),
      });
    else if (read.label !== null) (kept ??= {})[field] = read.label;
  }
  for (const [field, readText] of TEXTS_BY_NAME) {
    const value = own(json, field);
    if (value === undefined || value === null) continue;
    const { texts, problem } = readTexts(field, value, readText);
    if (problem !== null) refusedLabels.push({ field, value, ...refusal("badLabel", problem) });
    if (texts.size > 0) (kept ??= {})[field] = texts;
  }
  return kept;
}

/** Reads one text of a member that is an object of texts: what is kept of it, null for nothing, or what is wrong. */
type ReadText = (name: string, value: unknown) => ReturnType<typeof readLabel>;

const TEXTS_BY_NAME: readonly (readonly [field: "units" | "labels", read: ReadText])[] = [
  ["units", (_, value) => readLabel(value, UNIT_LENGTH)],
  [
    "labels",
    (key, value) => {
      const problem = keyProblem(key);
      return problem === null ? readLabel(value) : { problem: `has a name that ${problem}` };
    },
  ],
];
const WHAT_OF = { units: "the unit of", labels: "the label" } as const;

/** Reads an object of texts: those that can be kept, and the first problem of the others. */
function readTexts(field: "units" | "labels", said: unknown, read: ReadText) {
  const texts = new Map<string, string>();
  let problem: string | null = isObject(said) ? null : `${field} is ${describe(said)}, not an object`;
  for (const [name, value] of isObject(said) ? Object.entries(said) : []) {
    const text = read(name, value);
    if ("problem" in text) problem ??= `${WHAT_OF[field]} ${describe(name)} is ${describe(value)}; it ${text.problem}`;
    else if (text.label === null) continue;
    else if (field === "labels" && texts.size >= DEVICE_LABELS.most)
      problem ??= `there are more than ${DEVICE_LABELS.most} labels; ${describe(name)} is not kept`;
    else texts.set(name, text.label);
  }
  return { texts, problem };
}
