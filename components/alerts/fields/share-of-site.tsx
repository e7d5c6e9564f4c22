"use client";
import classes from "../rules.module.css";
import { type FieldsProps, Figure, Severity } from "./parts";

/** Many devices of one site fall silent together. */
export function ShareOfSiteFields(props: FieldsProps) {
  return (
    <>
      <div className={classes.line}>
        <span className={classes.word}>of</span>
        <Figure {...props} label="Percent of a site's devices" at="share" placeholder="30" />
        <span>% of them, and at least</span>
        <Figure {...props} label="Devices at least" at="atLeast" placeholder="5" />
        <span>devices,</span>
      </div>
      <div className={classes.line}>
        <span className={classes.word}>within</span>
        <Figure {...props} label="Within" at="within" placeholder="2 min" />
        <Severity value={props.draft.severity} onChange={(severity) => props.change({ severity })} />
      </div>
    </>
  );
}
