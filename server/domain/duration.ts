/**
 * Writes a length of time given in milliseconds with three significant digits, two below a millisecond, and none that say
 * nothing: "0 s", "35 µs", "4.2 ms", "1.24 s", "2 min 5 s", "3 h 10 min", "2 d 4 h".
 */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0 s";
  if (ms < 0.995) return `${rounded(ms * 1000, 2)} µs`;
  if (ms < 999.5) return `${rounded(ms, 3)} ms`;
  if (ms < 59_950) return `${rounded(ms / 1000, 3)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return pair(Math.floor(seconds / 60), "min", seconds % 60, "s");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1440) return pair(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.floor(minutes / 60);
  return pair(Math.floor(hours / 24), "d", hours % 24, "h");
}

/** Writes for how long something has lasted that nobody counts the seconds of: whole minutes, or "less than a minute". */
export function formatMinutes(ms: number): string {
  return ms < 60_000 ? "less than a minute" : formatDuration(Math.floor(ms / 60_000) * 60_000);
}

/** Writes a length of time that changes while one reads it: tenths of a second below 10 s, then whole seconds; "0 s" is none at all. */
export function formatSeconds(seconds: number): string {
  if (seconds > 0 && seconds < 0.05) return "< 0.1 s";
  return seconds < 9.95 ? `${Math.round(seconds * 10) / 10} s` : formatDuration(Math.round(seconds) * 1000);
}

function rounded(value: number, digits: number): string {
  return String(Number(value.toPrecision(digits)));
}

function pair(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
}
