import type { SentMessage } from "./ledger";

const MINUTE = 60_000;
const FROM = Date.UTC(2026, 9, 30, 22);
const DEVICES = 8;

/** A message that the oldest version was sent; each of its bad readings became a dead letter. */
export interface OldMessage extends SentMessage {
  readonly site: string;
  readonly type: string;
  readonly bad: SentMessage["readings"];
}

/** Of those messages, the ones it was sent again. */
export const SENT_AGAIN = { from: 500, to: 1000 } as const;

/**
 * What the database in e2e/fixtures/released was filled with: eight devices that report every ten minutes over the turn of a month, one of them each second for a
 * while. Three readings are true or false where numbers came before.
 */
export function sentToOldest(): OldMessage[] {
  const messages: OldMessage[] = [];
  const add = (i: number, time: number, readings: SentMessage["readings"], bad: SentMessage["readings"] = {}) => {
    const about = { site: i % 2 ? "north" : "south", type: i < 4 ? "meter" : "valve" };
    messages.push({ device: `old-${i}`, ...about, time, readings, bad });
  };
  for (let i = 0; i < DEVICES; i++)
    for (let step = 0; step < 28 * 6; step++) {
      const value = ((step * 7 + i * 13) % 997) / 8 + 0.1;
      const time = FROM + step * 10 * MINUTE + i;
      if (i > 0 && i < 4 && step === 20) add(i, time, { level: value }, { power: true });
      else add(i, time, i < 4 ? { level: value, power: value * 1e6 } : { open: step % 3 === 0 });
    }
  for (let second = 0; second < 600; second++)
    add(0, Date.UTC(2026, 10, 10, 10) + second * 1000, { level: Math.sin(second / 60) });
  return messages;
}
