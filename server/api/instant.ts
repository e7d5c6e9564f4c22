/** A moment as it goes over the wire. */
export function toInstant(time: number): string {
  return new Date(time).toISOString();
}

export function toInstantOrNull(time: number | null): string | null {
  return time === null ? null : toInstant(time);
}
