import type { DeadLetterReason } from "@/server/domain/reasons";
import { type JsonMember, type JsonValue, readJsonText } from "../ui/json-text";

/** The part of a message a reason speaks of. */
export type Part = "device" | "time" | "readings" | "field" | "whole";

const PARTS: Record<DeadLetterReason, Part> = {
  notJson: "whole",
  tooLarge: "whole",
  tooDeep: "whole",
  noDevice: "device",
  badDevice: "device",
  notAllowed: "device",
  otherSite: "device",
  tooManyNew: "whole",
  notMapped: "whole",
  noTime: "time",
  badTime: "time",
  futureTime: "time",
  tooOld: "time",
  noReadings: "readings",
  tooManyReadings: "readings",
  internalError: "whole",
  tooManyDevices: "device",
  badName: "field",
  badValue: "field",
  badLabel: "field",
  notFinite: "field",
  tooManyMetrics: "field",
  seriesTooOld: "field",
  typeDrift: "field",
  unitMismatch: "field",
};

/** Tells which part of a message the reason speaks of. */
export function partAtFault(reason: DeadLetterReason): Part {
  return PARTS[reason];
}

/** The part of a text that is at fault; `start` equals `end` where something is missing. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Finds the fault in a message's text; null where nothing can be pointed at. */
export function faultIn(
  text: string,
  { reason, field }: { readonly reason: DeadLetterReason; readonly field: string | null },
): Span | null {
  const reading = readJsonText(text);
  if (!reading.ok) return reason === "notJson" ? wordAt(text, reading.at) : null;
  const root = reading.value;
  if (reason === "notJson") return root.kind === "object" ? null : spanOf(root);
  const part = PARTS[reason];
  if (part === "whole") return null;
  const fields = reason === "badLabel" ? root : memberOf(root, "readings")?.value;
  const member = part === "field" ? memberOf(fields, field) : memberOf(root, part);
  if (!member) return null;
  // The key is marked when the name is at fault or there is no room for it; otherwise the value.
  const isName = reason === "badName" || reason === "tooManyMetrics";
  return isName ? { start: member.keyStart, end: member.keyEnd } : spanOf(member.value);
}

/** Finds the last member of that name: it is the one that counts. */
function memberOf(value: JsonValue | undefined, key: string | null): JsonMember | undefined {
  return value?.members.findLast((member) => member.key === key);
}

/** Returns the span of the word that begins there, or of one character; an empty one at the end of the text. */
function wordAt(text: string, start: number): Span {
  const word = /^[\w.+-]+/.exec(text.slice(start, start + 64));
  return { start, end: Math.min(text.length, start + (word?.[0].length ?? 1)) };
}

function spanOf({ start, end }: JsonValue): Span {
  return { start, end };
}
