import type { DeadLetterView } from "@/server/contracts/dead-letters";

/** A stretch of what was received: text as it is, or something text can't show, written out. */
export interface Piece {
  readonly text: string;
  /** Its start in the text as a string, and its length there; bytes that aren't UTF-8 have none. */
  readonly start: number;
  readonly length: number;
  /** hidden: control characters, or bytes that aren't UTF-8, as "\x00". */
  readonly kind: "text" | "hidden";
}

/** Decodes the bytes of a dead letter. */
export function bytesOf({ raw, encoding }: Pick<DeadLetterView, "raw" | "encoding">): Uint8Array {
  if (encoding === "utf-8") return new TextEncoder().encode(raw);
  return Uint8Array.from(atob(raw), (char) => char.charCodeAt(0));
}

/** Reads the text of a dead letter; bytes that aren't UTF-8 become U+FFFD. */
export function textOf(letter: Pick<DeadLetterView, "raw" | "encoding">): string {
  if (letter.encoding === "utf-8") return letter.raw;
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytesOf(letter));
}

/** Characters that are invisible in text and would hide what is wrong. */
const HIDDEN =
  /([\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]+)/;

/** Cuts a text into pieces, with invisible characters written out. */
export function piecesOfText(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let start = 0;
  // Split by a group: what lies between is text, what the group found is hidden.
  text.split(HIDDEN).forEach((part, i) => {
    const shown = i % 2 === 0 ? part : written([...part].map((char) => char.charCodeAt(0)));
    if (part !== "") pieces.push({ text: shown, start, length: part.length, kind: i % 2 === 0 ? "text" : "hidden" });
    start += part.length;
  });
  return pieces;
}

/** Cuts bytes into pieces of text, with those that aren't UTF-8 written out. */
export function piecesOfBytes(bytes: Uint8Array): readonly Piece[] {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const pieces: Piece[] = [];
  let start = 0;
  let at = 0;
  while (at < bytes.length) {
    const begin = at;
    for (let size = 1; at < bytes.length && size > 0; at += size) size = characterAt(bytes, at);
    const text = decoder.decode(bytes.subarray(begin, at));
    for (const piece of piecesOfText(text)) pieces.push({ ...piece, start: start + piece.start });
    start += text.length;
    const bad = at;
    while (at < bytes.length && characterAt(bytes, at) === 0) at++;
    if (at > bad) pieces.push({ text: written([...bytes.subarray(bad, at)]), start, length: 0, kind: "hidden" });
  }
  return pieces;
}

/** Writes a hex dump: on each line an offset, sixteen bytes, and the same as ASCII. */
export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const ascii = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${hex.padEnd(47)}  ${ascii}`);
  }
  return lines.join("\n");
}

/** Counts the bytes of the UTF-8 character that begins there; 0 if none does. */
function characterAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  const size = first < 0xc2 || first > 0xf4 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  for (let i = 1; i < size; i++) {
    const next = bytes[at + i] ?? 0;
    const [low, high] = i === 1 ? (SECOND[first] ?? CONTINUED) : CONTINUED;
    if (next < low || next > high) return 0;
  }
  return size;
}

const CONTINUED = [0x80, 0xbf] as const;
/** Narrower ranges of the second byte, by the first: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
const SECOND: Readonly<Record<number, readonly [low: number, high: number]>> = {
  0xe0: [0xa0, 0xbf],
  0xed: [0x80, 0x9f],
  0xf0: [0x90, 0xbf],
  0xf4: [0x80, 0x8f],
};

function written(codes: readonly number[]): string {
  const hex = (code: number, digits: number) => code.toString(16).padStart(digits, "0");
  return codes.map((code) => (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`)).join("");
}
