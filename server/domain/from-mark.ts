/** Header of a record that a source took over from a log of others: where it was there. The event log signs it: repeats are left out by it. */
export const FROM_HEADER = "fieldwatch-from";

/** Where a delivery lay in a log of others. */
export interface FromPosition {
  /** Its topic and partition there: within one, offsets grow. */
  readonly lane: string;
  /** What makes offsets comparable: those of another run are of another log, or were mapped otherwise. */
  readonly run: string;
  readonly offset: number;
}

/** The same of one record made of the delivery. */
export interface RecordFrom extends FromPosition {
  /** Its place among those made of the delivery. */
  readonly place: number;
}

export function fromHeaders({ lane, run, offset, place }: RecordFrom): Record<string, string> {
  return { [FROM_HEADER]: JSON.stringify([offset, place, lane, run]) };
}

/** Null for a record that is from nowhere else. Signed, so that what stands there is what {@link fromHeaders} wrote. */
export function readFrom(headers: Readonly<Record<string, string>>): RecordFrom | null {
  const text = headers[FROM_HEADER];
  if (text === undefined) return null;
  const [offset, place, lane, run] = JSON.parse(text) as [number, number, string, string];
  return { offset, place, lane, run };
}
