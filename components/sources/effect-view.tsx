"use client";
import type { MappingPreview } from "@/server/contracts/sources";
import { counted } from "@/server/domain/counted";
import { readable } from "@/server/domain/readable";
import { formatExact, formatMeasure } from "../ui/format";
import { MarkShape } from "../ui/state-mark";
import { type ChangeGroup, effectOf, groupedChanges, type ReadingChange } from "./effect";
import classes from "./mapping.module.css";

/** Kinds of changes that are told in full. */
const MOST_GROUPS = 12;
const SIGNS: Record<ReadingChange["kind"], { readonly sign: string; readonly word: string }> = {
  added: { sign: "+", word: "new" },
  gone: { sign: "−", word: "gone" },
  changed: { sign: "→", word: "other" },
};

/** What a changed mapping makes of the last payloads, against what the current one does. */
export function EffectView({ items }: { items: MappingPreview["items"] }) {
  const { samples, same, changes, refusedBefore, refusedAfter, devices } = effectOf(items);
  const groups = groupedChanges(changes);
  const of = (kind: ReadingChange["kind"]) => changes.filter((change) => change.kind === kind).length;
  const isWorse = refusedAfter > refusedBefore;
  return (
    <div className={classes.effect}>
      <p className={classes.sum}>
        <MarkShape mark={isWorse ? "warning" : "ok"} />
        Of the last {counted(samples, "payload")}:{" "}
        {changes.length === 0
          ? same === 1
            ? "its one reading stays as it is"
            : `all ${counted(same, "reading")} stay as they are`
          : `${counted(of("added"), "reading")} more, ${formatExact(of("gone"))} gone, ${formatExact(of("changed"))} changed, ${formatExact(same)} as before`}
        . Refused: {formatExact(refusedBefore)} now, {formatExact(refusedAfter)} with it.
      </p>
      {devices.added.length + devices.gone.length > 0 ? (
        <p>
          {devices.added.length > 0 ? `New devices: ${namesOf(devices.added)}. ` : ""}
          {devices.gone.length > 0 ? `No more: ${namesOf(devices.gone)}.` : ""}
        </p>
      ) : null}
      <ul className={classes.changes}>
        {groups.slice(0, MOST_GROUPS).map((group) => (
          <Change key={`${group.kind} ${group.metric}`} group={group} />
        ))}
        {groups.length > MOST_GROUPS ? <li>and {counted(groups.length - MOST_GROUPS, "more metric")}</li> : null}
      </ul>
    </div>
  );
}

function Change({ group: { kind, metric, count, example } }: { group: ChangeGroup }) {
  const { sign, word } = SIGNS[kind];
  const { before, after, device } = example;
  const told = (format: (value: number) => string) =>
    [before, after].flatMap((one) => (one ? [wordsOf(one, format)] : [])).join(" → ");
  return (
    <li data-kind={kind}>
      <span aria-hidden="true">{sign}</span>
      <span>
        <b>{metric}</b> {word}
        {count > 1 ? `, ${formatExact(count)}×` : ""}
      </span>
      <small>
        <span title={told(formatExact)}>{told(formatMeasure)}</span> of {device}
      </small>
    </li>
  );
}

function wordsOf({ value, unit }: NonNullable<ReadingChange["before"]>, format: (value: number) => string): string {
  const text = typeof value === "number" ? format(value) : readable(String(value));
  return unit === null ? text : `${text} ${readable(unit)}`;
}

function namesOf(names: readonly string[]): string {
  const more = names.length - 5;
  return names.slice(0, 5).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
