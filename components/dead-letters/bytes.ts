import type { DeadLetterView } from "@/server/contracts/dead-letters";

/** A stretch of what was received: text as it is, or something text can't show, written out. */
export interface Piece {
  readonly text: string;
  /** Where it begins in the text as a string; for invalid bytes, in the text around them. */
  readonly start: number;
  /** hidden: a control character, or bytes that aren't UTF-8, as "\x00". */
  readonly kind: "text" | "hidden";
}

/** The bytes of a dead letter. */
export function bytesOf({ raw, encoding }: Pick<DeadLetterView, "raw" | "encoding">): Uint8Array {
  if (encoding === "utf-8") return new TextEncoder().encode(raw);
  return Uint8Array.from(atob(raw), (char) => char.charCodeAt(0));
}

/** The text of a dead letter; bytes that aren't UTF-8 become U+FFFD. */
export function textOf(letter: Pick<DeadLetterView, "raw" | "encoding">): string {
  if (letter.encoding === "utf-8") return letter.raw;
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytesOf(letter));
}

/** Characters that text shows as nothing, and would hide what is wrong. */
const HIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060\ufeff]/;

/** All of a text, with characters that can't be seen written out. */
export function piecesOfText(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let start = 0;
  for (const part of text.split(new RegExp(`(${HIDDEN.source})`))) {
    if (part === "") continue;
    const isHidden = part.length === 1 && HIDDEN.test(part);
    pieces.push({ text: isHidden ? written(part.charCodeAt(0)) : part, start, kind: isHidden ? "hidden" : "text" });
    start += part.length;
  }
  return pieces;
}

/** Bytes as text, with those that aren't UTF-8 written out one by one. */
export function piecesOfBytes(bytes: Uint8Array): readonly Piece[] {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const pieces: Piece[] = [];
  let length = 0;
  let good = 0;
  let at = 0;
  const flush = (end: number) => {
    if (end === good) return;
    const text = decoder.decode(bytes.subarray(good, end));
    for (const piece of piecesOfText(text)) pieces.push({ ...piece, start: length + piece.start });
    length += text.length;
  };
  while (at < bytes.length) {
    const size = characterAt(bytes, at, decoder);
    if (size > 0) {
      at += size;
      continue;
    }
    flush(at);
    pieces.push({ text: written(bytes[at]!), start: length, kind: "hidden" });
    at++;
    good = at;
  }
  flush(at);
  return pieces;
}

/** Offset, sixteen bytes, and the same as ASCII, a line each. */
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

/** Bytes of the character that begins there; 0 if none does. */
function characterAt(bytes: Uint8Array, at: number, decoder: TextDecoder): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  try {
    decoder.decode(bytes.subarray(at, at + size));
    return at + size <= bytes.length ? size : 0;
  } catch {
    return 0;
  }
}

function written(code: number): string {
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}
