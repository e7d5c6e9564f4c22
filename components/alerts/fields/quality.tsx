"use client";
import classes from "../rules.module.css";
import { type FieldsProps, Figure, Severity, Times } from "./parts";

/** Readings of a device are worth less than they should be. */
export function QualityFields(props: FieldsProps) {
  return (
    <>
      <div className={classes.line}>
        <span className={classes.word}>below</span>
        <Figure {...props} label="Quality below" at="score" placeholder="80" />
        <span>of 100</span>
        <Severity value={props.draft.severity} onChange={(severity) => props.change({ severity })} />
      </div>
      <Times {...props} />
    </>
  );
}
