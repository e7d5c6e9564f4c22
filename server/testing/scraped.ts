/** Reads the series of a scrape: `name{label="value"}` → number. Comments are left out. */
export function readSeries(text: string): ReadonlyMap<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const [, series = "", value = ""] = /^([^{ ]+(?:\{.*?\})?) (\S+)/.exec(line) ?? [];
      return [series, Number(value)];
    }),
  );
}

/** The sum of all series of a metric. */
export function sumOf(series: ReadonlyMap<string, number>, name: string): number {
  return [...series]
    .filter(([key]) => key === name || key.startsWith(`${name}{`))
    .reduce((sum, [, value]) => sum + value, 0);
}
