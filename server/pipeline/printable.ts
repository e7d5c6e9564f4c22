import { readable } from "@/server/domain/readable";

const LONGEST = 500;

/** Characters that PostgreSQL's text cannot hold (NUL, half a surrogate pair) or that would spoil a screen. */
const UNPRINTABLE = /[\u0000-\u001f\u007f]|\p{Cs}/gu;

/** Line breaks and tabs, of which a parser's words and a sender's are full: on one line they are a space. */
const BREAKS = /[\t\n\r]+/g;

/** Makes text from a message fit to store and to show: bounds its length and replaces what can't be shown by U+FFFD. */
export function printable(text: string, longest = LONGEST): string {
  const short = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return readable(short.replace(BREAKS, " ").replace(UNPRINTABLE, "\ufffd"));
}
