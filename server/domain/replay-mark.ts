/** What a record of the event log says of itself when it is a dead letter that was sent again. */
export interface ReplayMark {
  /** The dead letter's id. */
  readonly letter: string;
  /** Which sending of that letter this is: its count of replays, this one included. */
  readonly attempt: number;
  /** Whether the message was changed before it was sent. */
  readonly edited: boolean;
}

const LETTER = "fieldwatch-replay-of";
const ATTEMPT = "fieldwatch-replays";
const EDITED = "fieldwatch-replay-edited";

/** The record's headers that carry the mark. */
export function markHeaders({ letter, attempt, edited }: ReplayMark): Record<string, string> {
  return { [LETTER]: letter, [ATTEMPT]: String(attempt), ...(edited && { [EDITED]: "true" }) };
}

/** The mark a record carries; null if it has none, or one that can't be read: then it is a message like any other. */
export function readMark(headers: Readonly<Record<string, string>>): ReplayMark | null {
  const letter = headers[LETTER];
  if (letter === undefined) return null;
  const attempt = Number(headers[ATTEMPT]);
  if (letter === "" || letter.length > 1024 || !Number.isSafeInteger(attempt) || attempt < 1) return null;
  return { letter, attempt, edited: headers[EDITED] === "true" };
}
