"use client";
import { Autocomplete } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { metricsQuery } from "../../queries/metrics";
import classes from "../rules.module.css";
import { type FieldsProps, Figure, Severity, Times } from "./parts";

/** A series behaves as it hasn't before. */
export function OddnessFields(props: FieldsProps) {
  const { draft, change, faultAt } = props;
  const { data: metrics } = useQuery(metricsQuery());
  return (
    <>
      <div className={classes.line}>
        <span className={classes.word}>of</span>
        <Autocomplete
          aria-label="Metric"
          placeholder="metric, or *"
          className={classes.metric ?? ""}
          data={["*", ...(metrics?.items.map(({ name }) => name) ?? [])]}
          value={draft.metric}
          error={faultAt("metric")}
          onChange={(metric) => change({ metric })}
        />
        <span>above</span>
        <Figure {...props} label="Odder than" at="score" placeholder="1.2" />
        <span>times the oddest so far</span>
        <Severity value={draft.severity} onChange={(severity) => change({ severity })} />
      </div>
      <Times {...props} />
    </>
  );
}
