"use client";
import { Select } from "@mantine/core";
import type { Measure } from "../draft";
import classes from "../rules.module.css";
import { type FieldsProps, Figure, Severity, Times } from "./parts";

/** Each measure with the unit of its limit; an engine that is away has none. */
const MEASURES: Readonly<Record<Measure, { readonly label: string; readonly unit: string | null }>> = {
  lagSeconds: { label: "it is behind by more than", unit: "s" },
  deadLetterPercent: { label: "dead letters are more than", unit: "% of messages" },
  freeDiskPercent: { label: "of the disk is free less than", unit: "%" },
  engineAway: { label: "an engine is away", unit: null },
  sourceSilentMinutes: { label: "a source is silent for", unit: "min" },
};

/** Something is wrong with the way of the readings, not with a device. */
export function PipelineFields(props: FieldsProps) {
  const { draft, change } = props;
  const { unit } = MEASURES[draft.measure];
  return (
    <>
      <div className={classes.line}>
        <span className={classes.word}>that</span>
        <Select
          aria-label="What of it"
          className={classes.hold ?? ""}
          data={Object.entries(MEASURES).map(([value, { label }]) => ({ value, label }))}
          value={draft.measure}
          allowDeselect={false}
          onChange={(measure) => change({ measure: measure as Measure })}
        />
        {unit === null ? null : (
          <>
            <Figure {...props} label="Limit" at="limit" />
            <span>{unit}</span>
          </>
        )}
        <Severity value={draft.severity} onChange={(severity) => change({ severity })} />
      </div>
      <Times {...props} />
    </>
  );
}
