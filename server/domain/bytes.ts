const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** Writes a number of bytes with three significant digits, and none that say nothing: "0 B", "999 B", "8 KiB", "1.4 GiB". */
export function formatBytes(bytes: number): string {
  let at = 0;
  let left = bytes;
  for (; left >= 999.5 && at < UNITS.length - 1; at++) left /= 1024;
  return `${left >= 999.5 ? Math.round(left) : Number(left.toPrecision(3))} ${UNITS[at]}`;
}
