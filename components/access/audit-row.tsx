"use client";
import { Button } from "@mantine/core";
import { Fragment, type ReactNode } from "react";
import type { AuditRowView } from "@/server/contracts/access";
import { readable } from "@/server/domain/readable";
import { formatInstant, formatTick } from "../ui/format";
import { StateMark } from "../ui/state-mark";
import { useZone } from "../ui/zone";
import classes from "./access.module.css";
import type { Change } from "./audit-filters";
import { OUTCOMES, outcomeOf, toldIn, verbWords } from "./audit-words";

const DAY_MS = 86_400_000;

interface RowProps {
  row: AuditRowView;
  isOpen: boolean;
  onToggle: () => void;
  change: Change;
}

/** A row of the record, which tells more when it is opened. */
export function Row({ row, isOpen, onToggle, change }: RowProps) {
  const { zone } = useZone();
  const { id, time, actor, actorKind, verb, target, outcome, address, sealed } = row;
  const [mark, word] = outcomeOf(row);
  const exact = formatInstant(Date.parse(time), zone);
  return (
    <Fragment>
      <tr data-row={id}>
        <td className={classes.time}>
          <button type="button" className={classes.toggle} aria-expanded={isOpen} onClick={onToggle}>
            <time dateTime={time} title={exact}>
              <span className={classes.fromWide}>{exact}</span>
              <span className={classes.narrow}>{formatTick(Date.parse(time), zone, 2 * DAY_MS)}</span>
            </time>
          </button>
        </td>
        <td className={classes.who}>
          {readable(actor)}
          {actorKind === "key" ? <small> key</small> : null}
        </td>
        <td className={classes.who} title={verb}>
          {verbWords(verb)}
          <small className={classes.below}>
            {[target && readable(target), outcome === "done" ? null : word.toLowerCase()].filter(Boolean).join(", ")}
          </small>
        </td>
        <td className={`${classes.fromWide} ${classes.wide}`}>
          {target === null ? <small>none</small> : readable(target)}
        </td>
        <td className={classes.fromWide}>
          <StateMark mark={mark} word={word} />
          {sealed ? null : <small className={classes.unsealed}>not sealed yet</small>}
        </td>
        <td className={`${classes.fromMedium} ${classes.wide}`}>{address ?? <small>this machine</small>}</td>
      </tr>
      {isOpen ? (
        <tr className={classes.detail}>
          <td colSpan={6}>
            <Detail row={row} exact={exact} />
            <span className={classes.barEnd}>
              <Button size="compact-xs" variant="subtle" onClick={() => change({ actor })}>
                All of {readable(actor)}
              </Button>
              <Button size="compact-xs" variant="subtle" onClick={() => change({ verb })}>
                All “{verbWords(verb).toLowerCase()}”
              </Button>
              {target === null ? null : (
                <Button size="compact-xs" variant="subtle" onClick={() => change({ target })}>
                  All about {readable(target)}
                </Button>
              )}
            </span>
          </td>
        </tr>
      ) : null}
    </Fragment>
  );
}

/** What an opened row tells: what changed, and the row itself. */
function Detail({ row, exact }: { row: AuditRowView; exact: string }) {
  const { id, actor, actorKind, actorId, verb, target, outcome, address, attempt, sealed, unsettled } = row;
  const told = toldIn(row.detail);
  const hasBefore = told.some(({ before }) => before !== undefined);
  const facts: [string, ReactNode][] = [
    ["Time", exact],
    ["Who", readable(`${actor}${actorId === null ? "" : ` (${actorKind} ${actorId})`}`)],
    ["Verb", verb],
    ["Target", target && readable(target)],
    ["Outcome", unsettled ? "Not known: whoever did it ended before telling" : OUTCOMES[outcome][1]],
    ["Tried in", attempt === null ? null : `row ${attempt}`],
    ["From", address],
    ["Row", `${id}, ${sealed ? "sealed" : "not sealed yet"}`],
  ];
  return (
    <div className={classes.told}>
      {told.length === 0 ? null : (
        <table aria-label="What changed">
          <thead>
            <tr>
              <th scope="col">What</th>
              {hasBefore ? <th scope="col">Before</th> : null}
              <th scope="col">{hasBefore ? "After" : "Value"}</th>
            </tr>
          </thead>
          <tbody>
            {told.map(({ what, before, after }) => (
              <tr key={what}>
                <th scope="row">{what}</th>
                {hasBefore ? <td>{before ?? <small>–</small>}</td> : null}
                <td>{after ?? <small>–</small>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <dl className={classes.facts}>
        {facts.map(([name, value]) =>
          value === null ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
        )}
      </dl>
    </div>
  );
}
