import { cut, textOf } from "@/server/domain/notifications/message";

/** Lines joined to a text of at most so many bytes of UTF-8: whole lines, then how many were left out. */
export function fitBytes(lines: readonly string[], most: number): string {
  for (let length = most; ; length = Math.floor(length * 0.8)) {
    const text = textOf(lines, length);
    if (Buffer.byteLength(text) <= most) return text;
  }
}

/** Text of at most so many bytes of UTF-8. */
export function cutBytes(text: string, most: number): string {
  for (let length = most; ; length = Math.floor(length * 0.8)) {
    const kept = cut(text, length);
    if (Buffer.byteLength(kept) <= most) return kept;
  }
}

/** A message's lines, with the address where there is more to see. */
export function linesOf({
  lines,
  url,
}: {
  readonly lines: readonly string[];
  readonly url: string | null;
}): readonly string[] {
  return url === null ? lines : [...lines, url];
}
