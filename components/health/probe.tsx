import type { ProbeResult } from "@/server/contracts/health";
import { Age } from "../ui/age";
import { formatDuration } from "../ui/format";
import { Duration } from "../ui/quantity";
import { ProbeMark } from "../ui/state-mark";
import { Said } from "../ui/said";
import { CauseAndFix } from "./advice";
import classes from "./health.module.css";

/**
 * What a probe found; if it doesn't pass, why, and what to do.
 * @param props.isExplained another probe beside it fails for the same cause and tells it.
 */
export function Probe({ probe, isExplained }: { probe: ProbeResult; isExplained: boolean }) {
  const { name, title, status, since, checkedAt, latencyMs, summary, cause, fix, commands } = probe;
  return (
    <li className={classes.probe} data-probe={name} data-status={status}>
      <span>
        <ProbeMark status={status} />
      </span>
      <h3>{title}</h3>
      <div className={classes.found}>
        <p>
          <Said text={summary} />
        </p>
        {isExplained ? (
          <p>{fix === null ? null : <Said text={fix} />}</p>
        ) : (
          <CauseAndFix cause={cause} fix={fix} commands={commands} of={title} />
        )}
      </div>
      <span className={classes.time}>
        <small>changed</small> <Age time={since} />
      </span>
      <span className={classes.time}>
        <small>{checkedAt ? "checked" : ""}</small> {checkedAt ? <Age time={checkedAt} /> : "not checked yet"}
      </span>
      <span className={classes.latency}>
        {latencyMs === null ? null : <Duration text={formatDuration(latencyMs)} />}
      </span>
    </li>
  );
}
