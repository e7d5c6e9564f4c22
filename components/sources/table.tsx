"use client";
import { useMediaQuery } from "@mantine/hooks";
import { useEffect, useEffectEvent } from "react";
import { readable } from "@/server/domain/readable";
import { Age } from "../ui/age";
import { formatCount, formatRate } from "../ui/format";
import { Link } from "../ui/link";
import { None } from "../ui/list-table";
import { Quantity } from "../ui/quantity";
import { MarkShape, StateMark } from "../ui/state-mark";
import type { ListedSource } from "./listed";
import classes from "./sources.module.css";
import { refusedOf, STANDINGS } from "./standing";

/** The height of every row, in pixels: on a phone a second line says what has no column there. The style sheet has the same. */
export function useRowHeight(): number {
  return useMediaQuery("(max-width: 48em)") ? 48 : 36;
}

interface TableProps {
  rows: readonly ListedSource[];
  /** Messages per second by name. */
  rates: ReadonlyMap<string, number>;
  /** Place of the row cursor; -1 is nowhere. */
  current: number;
  onCurrent: (index: number) => void;
  /** Called after other rows were drawn, or the cursor moved. */
  onDrawn: () => void;
}

/** One row a source. */
export function SourceTable({ rows, rates, current, onCurrent, onDrawn }: TableProps) {
  const tellDrawn = useEffectEvent(onDrawn);
  useEffect(() => tellDrawn(), [rows, current]);
  return (
    <table className={classes.table} aria-label="Sources">
      <thead>
        <tr>
          <th scope="col">Source</th>
          <th scope="col" className={classes.kind}>
            Kind
          </th>
          <th scope="col" className={classes.standing}>
            State
          </th>
          <th scope="col" className={classes.seen} data-number>
            Messages
          </th>
          <th scope="col" className={classes.count} data-number>
            Accepted
          </th>
          <th scope="col" className={classes.count} data-number>
            Ignored
          </th>
          <th scope="col" className={classes.count} data-number>
            Refused
          </th>
          <th scope="col" className={classes.letters} data-number>
            Dead letters
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row, i) => (
          <Row
            key={row.source.name}
            {...row}
            rate={rates.get(row.source.name) ?? null}
            isCurrent={i === current}
            onCurrent={() => onCurrent(i)}
          />
        ))}
      </tbody>
    </table>
  );
}

interface RowProps extends ListedSource {
  rate: number | null;
  isCurrent: boolean;
  onCurrent: () => void;
}

function Row({ source, kind, standing, rate, isCurrent, onCurrent }: RowProps) {
  const { name, title, counts, site } = source;
  const { mark, word, about } = STANDINGS[standing];
  const refused = refusedOf(counts);
  const seen = counts.lastSeen;
  const came =
    rate !== null && standing !== "silent" ? (
      <Quantity value={rate} unit="/s" format={formatRate} />
    ) : seen === null ? (
      <None word="none yet" />
    ) : (
      <Age time={seen} />
    );
  return (
    <tr
      data-row={name}
      data-current={isCurrent || undefined}
      data-ended={standing === "disabled" || undefined}
      tabIndex={-1}
      onClick={onCurrent}
      onFocus={onCurrent}
    >
      <td title={title === null ? name : `${name}: ${readable(title)}`}>
        <Link href={`/sources/${name}`}>{name}</Link>
        {title === null ? null : <small> {readable(title)}</small>}
        <span className={classes.below}>
          <MarkShape mark={mark} />
          {word} · {kind}
          {site === null ? "" : ` · ${readable(site)}`}
        </span>
      </td>
      <td className={classes.kind} title={kind}>
        {kind}
        {site === null ? null : <small> at {readable(site)}</small>}
      </td>
      <td className={classes.standing}>
        <StateMark mark={mark} word={word} title={about} />
        {standing === "silent" && seen !== null ? (
          <small>
            {" "}
            since <Age time={seen} />
          </small>
        ) : null}
      </td>
      <td className={classes.seen} data-number>
        {came}
      </td>
      <Count value={counts.accepted} />
      <Count value={counts.ignored} />
      <Count value={refused} />
      <td className={classes.letters} data-number>
        {counts.deadLetters === 0 ? (
          <None word="none" />
        ) : (
          <Link
            href={`/dead-letters?source=${name}`}
            aria-label={`${formatCount(counts.deadLetters)} dead letters of ${name}`}
          >
            {formatCount(counts.deadLetters)}
          </Link>
        )}
      </td>
    </tr>
  );
}

function Count({ value }: { value: number }) {
  return (
    <td className={classes.count} data-number>
      {value === 0 ? <None word="0" /> : <Quantity value={value} format={formatCount} />}
    </td>
  );
}
