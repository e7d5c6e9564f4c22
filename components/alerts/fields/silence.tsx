"use client";
import classes from "../rules.module.css";
import { type FieldsProps, Figure, Severity } from "./parts";

/** A device isn't heard of. */
export function SilenceFields(props: FieldsProps) {
  return (
    <div className={classes.line}>
      <span className={classes.word}>for</span>
      <Figure {...props} label="Silent for" at="after" placeholder="longer than is usual for it" isWide />
      <Severity value={props.draft.severity} onChange={(severity) => props.change({ severity })} />
    </div>
  );
}
