const LONGEST = 500;

/** What PostgreSQL's text cannot hold (NUL, half a surrogate pair), and what would spoil a screen. */
const UNPRINTABLE = /[\u0000-\u001f\u007f]|\p{Cs}/gu;

/** Text out of a message, made fit to store and to show: its length is bounded, what can't be shown becomes U+FFFD. */
export function printable(text: string, longest = LONGEST): string {
  const short = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return short.replace(UNPRINTABLE, "\ufffd");
}
