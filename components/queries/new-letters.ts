import type { DeadLetterReason } from "@/server/domain/reasons";

/** The fields of a dead letter that the overview needs. */
export interface NewLetter {
  readonly id: string;
  readonly reason: DeadLetterReason;
  readonly title: string;
  readonly detail: string;
  readonly device: string | null;
  readonly field: string | null;
  readonly ingestTime: string;
}

/** Dead letters of one device, field and reason, told by the newest of them. */
export interface NewLetterGroup extends NewLetter {
  /** Count among those looked at. */
  readonly count: number;
}

/** Brings together what is the same over and over again; newest first, as the letters are. */
export function groupNewest(letters: readonly NewLetter[], most: number): NewLetterGroup[] {
  const groups = new Map<string, { letter: NewLetter; count: number }>();
  for (const letter of letters) {
    const key = JSON.stringify([letter.reason, letter.device, letter.field]);
    const group = groups.get(key);
    if (group) group.count++;
    else groups.set(key, { letter, count: 1 });
  }
  return [...groups.values()].slice(0, most).map(({ letter, count }) => ({ ...letter, count }));
}
