import type { ReactNode } from "react";
import { MarkShape, type Mark } from "./state-mark";
import { Spoken } from "./spoken";
import classes from "./waterfall.module.css";

/** One line of a waterfall. Times in milliseconds since its beginning. */
export interface WaterfallRow {
  readonly key: string;
  readonly mark: Mark;
  /** The mark in words. */
  readonly word: string;
  readonly title: string;
  /** Details, below the title. */
  readonly note?: ReactNode;
  /** Null: it has no place in time yet. */
  readonly span: { readonly from: number; readonly to: number } | null;
  /** Text after the bar. */
  readonly figure: ReactNode;
}

/** Steps one below the other, each with a bar from its beginning to its end on one scale. */
export function Waterfall({ rows, label }: { rows: readonly WaterfallRow[]; label: string }) {
  const length = Math.max(1, ...rows.map(({ span }) => span?.to ?? 0));
  const share = (ms: number) => `${(Math.max(0, ms) / length) * 100}%`;
  return (
    <ol className={classes.rows} aria-label={label}>
      {rows.map(({ key, mark, word, title, note, span, figure }) => (
        <li key={key} className={classes.row} data-step={key} data-mark={mark}>
          <span className={classes.mark} title={word}>
            <MarkShape mark={mark} />
            <Spoken>{word}</Spoken>
          </span>
          <span className={classes.title}>{title}</span>
          <span className={classes.track} aria-hidden="true">
            {span ? (
              <span
                className={classes.bar}
                data-mark={mark}
                style={{ left: share(span.from), width: share(span.to - span.from) }}
              />
            ) : null}
          </span>
          <span className={classes.figure}>{figure}</span>
          {note ? <div className={classes.note}>{note}</div> : null}
        </li>
      ))}
    </ol>
  );
}
