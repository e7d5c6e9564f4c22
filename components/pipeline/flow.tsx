import type { CSSProperties } from "react";
import { formatDuration } from "../ui/format";
import { Copyable } from "../ui/feedback";
import { Duration, Quantity } from "../ui/quantity";
import { MarkShape, StateMark } from "../ui/state-mark";
import { Said } from "../ui/said";
import classes from "./flow.module.css";
import { flowOf, type Sources, type Station } from "./stations";

/** The way of a message from left to right, or from top to bottom where there is less room: each station with its rate now. */
export function FlowDiagram(sources: Sources) {
  const { before, worker, inside, after } = flowOf(sources);
  return (
    <>
      <ol className={classes.flow}>
        {before.map((station, i) => (
          <StationView key={station.key} station={station} at={i + 1} />
        ))}
        <li className={classes.worker} data-flowing={inside.some(({ isFlowing }) => isFlowing) || undefined}>
          <StateMark mark={worker.mark} word="Workers" title={worker.word} />
          <span className={classes.workerNotes}>{worker.notes.join(" · ")}</span>
        </li>
        {inside.map((station, i) => (
          <StationView key={station.key} station={station} at={before.length + i + 1} isInside />
        ))}
        {after.map((station, i) => (
          <StationView
            key={station.key}
            station={station}
            at={before.length + inside.length + i + 1}
            isLast={i === after.length - 1}
          />
        ))}
      </ol>
      {worker.trouble ? (
        <div className={classes.trouble} role="status">
          <MarkShape mark={worker.mark} />
          <p>
            <Said
              text={`${worker.trouble.summary} ${worker.trouble.isCommand ? "" : (worker.trouble.fix ?? "")}`.trim()}
            />
          </p>
          {worker.trouble.fix && worker.trouble.isCommand ? (
            <Copyable text={worker.trouble.fix} label="Copy the fix" />
          ) : null}
        </div>
      ) : null}
    </>
  );
}

interface StationViewProps {
  station: Station;
  /** Its column where the way goes from left to right. */
  at: number;
  isInside?: boolean;
  isLast?: boolean;
}

function StationView({ station, at, isInside, isLast }: StationViewProps) {
  const { key, name, mark, word, title, isFlowing, value, unit, format, times, notes, engine } = station;
  return (
    <li
      className={classes.station}
      style={{ "--at": at } as CSSProperties}
      data-station={key}
      data-flowing={isFlowing || undefined}
      data-inside={isInside || undefined}
      data-last={isLast || undefined}
    >
      <span className={classes.mark} data-mark={mark} title={title}>
        <MarkShape mark={mark} />
      </span>
      <span className={classes.name}>
        {name} <small data-mark={mark}>{word}</small>
      </span>
      <span className={classes.value}>
        <Quantity value={value} unit={unit} format={format} />
      </span>
      <span className={classes.times}>
        {times ? (
          <>
            <span title="Half of them took no longer, over the last minute">
              p50 <Duration text={formatDuration(times.p50Ms)} />
            </span>{" "}
            <span title="99 of 100 took no longer, over the last minute">
              p99 <Duration text={formatDuration(times.p99Ms)} />
            </span>
          </>
        ) : null}
      </span>
      <span className={classes.notes}>
        {notes.map((note) => (
          <span key={note}>{note}</span>
        ))}
        {engine ? (
          <span className={classes.engine}>
            {engine.name} <small>{engine.isEmbedded ? "embedded" : "real"}</small>
          </span>
        ) : null}
      </span>
    </li>
  );
}
