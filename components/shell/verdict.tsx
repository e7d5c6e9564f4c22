"use client";
import { useConnectionPhase, useRefusal } from "../live/provider";
import { useSeesAll } from "../queries/access";
import { useHealth } from "../queries/health";
import { Link } from "../ui/link";
import { Spoken } from "../ui/spoken";
import { Since } from "../ui/since";
import { MarkShape, probeMark } from "../ui/state-mark";
import { useStaleSince } from "./connection";
import { isHung } from "./connection-view";
import { useFiring } from "./firing";
import classes from "./shell.module.css";

/**
 * The verdict on the whole, in one line; while all is good a dot, its words only heard and on hover. The shell keeps health up to date.
 * A page that is about what fires leaves that out, by `withFiring`.
 */
export function Verdict({ withFiring = true }: { withFiring?: boolean }) {
  const refusal = useRefusal();
  const { data } = useHealth();
  const { hasAnswer } = useTrouble();
  const seesAll = useSeesAll();
  const fires = useFiring();
  if (!hasAnswer) {
    return (
      <p className={classes.verdict} data-status="fail">
        <MarkShape mark="failing" />
        <span>The server does not answer. What it has accepted is stored; values here may be old.</span>
      </p>
    );
  }
  if (refusal !== null) {
    return (
      <p className={classes.verdict} data-status="fail" title={refusal}>
        <MarkShape mark="failing" />
        <span>Not live: {refusal}</span>
      </p>
    );
  }
  const firing =
    fires === null || !withFiring ? null : (
      <p className={classes.verdict} data-status={fires.mark === "failing" ? "fail" : "warn"}>
        <MarkShape mark={fires.mark} />
        <Link href="/alerts">{fires.words}</Link>
      </p>
    );
  if (seesAll === false) return firing;
  if (!data) return <p className={classes.verdict} />;
  const { what, since, means } = data.parts;
  const isTrouble = data.status === "fail" || data.status === "warn";
  // The worse of the two stands here, health where they are alike: it may be why nothing fires.
  if (firing !== null && (!isTrouble || (fires?.mark === "failing" && data.status === "warn"))) return firing;
  return (
    <p className={classes.verdict} data-status={data.status} title={data.verdict}>
      <MarkShape mark={probeMark(data.status)} />
      {data.status === "pass" ? (
        <Spoken>{data.verdict}</Spoken>
      ) : (
        <span>
          {isTrouble && since ? (
            <>
              {what} since <Since time={since} />: {means}.
            </>
          ) : (
            data.verdict
          )}
        </span>
      )}
    </p>
  );
}

/** Returns how many probes fail, and whether the server answers at all. */
export function useTrouble(): { failing: number; hasAnswer: boolean } {
  const { data, error, dataUpdatedAt } = useHealth();
  const isCutOff = useConnectionPhase() === "reconnecting";
  const hangs = isHung(useStaleSince(), dataUpdatedAt);
  const seesAll = useSeesAll();
  const failing = data?.probes.filter(({ status }) => status === "fail").length ?? 0;
  return { failing, hasAnswer: !hangs && (seesAll === false ? !isCutOff : error === null) };
}
