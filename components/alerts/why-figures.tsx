import type { WhyAnswer } from "@/server/contracts/why";
import { MEASURES, measureWords } from "@/server/domain/alerts/measure";
import type { PipelineRule } from "@/server/domain/alerts/rule";
import { StateMark } from "../ui/state-mark";
import { Moment } from "./moment";
import classes from "./why.module.css";

type Figure = NonNullable<WhyAnswer["figures"]>[number];

/** What a rule about the pipeline goes by, as it is now: each engine and each source by itself. */
export function WhyFigures({ figures, spec }: { figures: readonly Figure[]; spec: PipelineRule }) {
  const { measure, limit, severity } = spec;
  const { name, unit } = MEASURES[measure];
  const side = measure === "freeDiskPercent" ? "below" : "above";
  return (
    <ul className={classes.figures}>
      {figures.map(({ subject, value, phase, since, firesAt }) => (
        <li key={subject}>
          <span>{subject === "" ? name : subject}</span>
          <span>
            {unit === "" ? value > 0 ? "away" : "there" : <b>{measureWords(measure, value)}</b>}
            {unit === "" || limit === undefined ? null : (
              <small>
                {" "}
                fires {side} {limit} {unit}
              </small>
            )}
          </span>
          <span>
            {phase === "normal" ? (
              <StateMark mark="ok" word="Normal" />
            ) : phase === "pending" ? (
              <StateMark mark="unknown" word="Pending" />
            ) : (
              <StateMark
                mark={severity === "critical" ? "failing" : "warning"}
                word={phase === "firing" ? "Firing" : "Recovering"}
              />
            )}
            {since === null ? null : (
              <small>
                {" since "}
                <Moment time={since} />
              </small>
            )}
            {firesAt === null ? null : (
              <small>
                {", fires "}
                <Moment time={firesAt} />
              </small>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}
