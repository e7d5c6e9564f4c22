/** The mark on a record of the event log that is a dead letter sent again. */
export interface ResendMark {
  /** The dead letter's id. */
  readonly letter: string;
  /** The number of this sending: the letter's count of resends, this one included. */
  readonly attempt: number;
  /** True if the message was changed before it was sent. */
  readonly edited: boolean;
}

interface HeaderNames {
  readonly letter: string;
  readonly attempt: string;
  readonly edited: string;
}

const TODAY: HeaderNames = {
  letter: "fieldwatch-resend-of",
  attempt: "fieldwatch-resends",
  edited: "fieldwatch-resend-edited",
};
/** Written by versions for which a resend was a replay, too; a log may hold such records for as long as its retention. */
const OLDER: HeaderNames = {
  letter: "fieldwatch-replay-of",
  attempt: "fieldwatch-replays",
  edited: "fieldwatch-replay-edited",
};

/** Every header that makes up a mark. */
export const MARK_HEADERS: readonly string[] = [...Object.values(TODAY), ...Object.values(OLDER)] as string[];

/** The longest id: the name of a log, a partition, an offset and a field. */
const LONGEST_LETTER = 512;
/** The end of a dead letter's id; before it stands the name of a log, in printable ASCII. */
const LETTER_ID = /^[\x20-\x7e]+\/\d{1,10}\/\d{1,16}\/(?:m|\d{1,6})$/;
/** More sendings than anybody makes, and far fewer than a column of 32 bits holds. */
const MOST_ATTEMPTS = 1_000_000;

/** Returns the headers of a record that carry the mark. */
export function markHeaders({ letter, attempt, edited }: ResendMark): Record<string, string> {
  return { [TODAY.letter]: letter, [TODAY.attempt]: String(attempt), ...(edited && { [TODAY.edited]: "true" }) };
}

/**
 * The mark a record carries; null if it has none, or one that Fieldwatch wouldn't write: headers come from anybody, so then
 * it is a message like any other. Whether there is such a letter, and whether it was sent, is still to be asked.
 */
export function readMark(headers: Readonly<Record<string, string>>): ResendMark | null {
  return readMarkOf(headers, TODAY) ?? readMarkOf(headers, OLDER);
}

function readMarkOf(headers: Readonly<Record<string, string>>, names: HeaderNames): ResendMark | null {
  const letter = headers[names.letter];
  const attempt = headers[names.attempt];
  if (letter === undefined || attempt === undefined) return null;
  if (letter.length > LONGEST_LETTER || !LETTER_ID.test(letter)) return null;
  if (!/^[1-9]\d{0,6}$/.test(attempt) || Number(attempt) > MOST_ATTEMPTS) return null;
  return { letter, attempt: Number(attempt), edited: headers[names.edited] === "true" };
}
