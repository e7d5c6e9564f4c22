import { markdownTable, median } from "../bench/report";

/** One line of the table. */
export interface Row {
  readonly drill: string;
  readonly faults: number;
  readonly sent: number;
  readonly stored: number;
  /** Readings of acknowledged messages that are dead letters, known by device, time and reason. */
  readonly dead: number;
  readonly lost: number;
  readonly twice: number;
  readonly recoveries: readonly number[];
  readonly seconds: number;
  readonly wrong: readonly string[];
}

export function isBad({ lost, twice, wrong, sent }: Row): boolean {
  return lost !== 0 || twice !== 0 || wrong.length > 0 || sent === 0;
}

export function lineOf(row: Row): string {
  const { faults, sent, stored, dead, lost, twice, recoveries, seconds } = row;
  const recovery =
    recoveries.length === 0
      ? "nothing to recover from"
      : `recovered in ${median(recoveries).toFixed(1)} s, at worst ${Math.max(...recoveries).toFixed(1)} s`;
  return `${isBad(row) ? "FAIL" : "ok"}: ${faults} faults, ${sent} readings sent, ${stored} stored, ${dead} in dead letters, ${lost} lost, ${twice} counted twice; ${recovery}; took ${seconds.toFixed(0)} s`;
}

/** The rows as a Markdown table. */
export function table(rows: readonly Row[]): string {
  return markdownTable(
    [
      "drill",
      "faults",
      "sent",
      "stored",
      "in dead letters",
      "lost",
      "counted twice",
      "recovers in, s",
      "worst, s",
      "took, s",
      "",
    ],
    rows.map((row) => [
      row.drill,
      String(row.faults),
      String(row.sent),
      String(row.stored),
      String(row.dead),
      String(row.lost),
      String(row.twice),
      row.recoveries.length === 0 ? "–" : median(row.recoveries).toFixed(1),
      row.recoveries.length === 0 ? "–" : Math.max(...row.recoveries).toFixed(1),
      row.seconds.toFixed(0),
      isBad(row) ? "FAIL" : "ok",
    ]),
  );
}
