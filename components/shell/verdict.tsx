"use client";
import { useQuery } from "@tanstack/react-query";
import { useConnectionPhase, useRefusal } from "../live/provider";
import { useSeesAll } from "../queries/access";
import { openAlertsQuery } from "../queries/alerts";
import { useHealth } from "../queries/health";
import { Link } from "../ui/link";
import { Since } from "../ui/since";
import { MarkShape, probeMark } from "../ui/state-mark";
import { firingMark, verdictOf } from "./firing-words";
import classes from "./shell.module.css";

/** Every page has the verdict: it asks less often than the inbox. */
const FIRING_MS = 10_000;

/** The verdict on the whole, in one line. The shell keeps health up to date. */
export function Verdict() {
  const refusal = useRefusal();
  const { data } = useHealth();
  const { hasAnswer } = useTrouble();
  const seesAll = useSeesAll();
  const firing = useFiring();
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
  if (seesAll === false) return firing;
  if (!data) return <p className={classes.verdict} />;
  const { what, since, means } = data.parts;
  const isTrouble = data.status === "fail" || data.status === "warn";
  if (!isTrouble && firing !== null) return firing;
  return (
    <p className={classes.verdict} data-status={data.status} title={data.verdict}>
      <MarkShape mark={probeMark(data.status)} />
      <span>
        {isTrouble && since ? (
          <>
            {what} since <Since time={since} />: {means}.
          </>
        ) : (
          data.verdict
        )}
      </span>
    </p>
  );
}

/** What fires, in the place of the verdict; null while nothing does. */
function useFiring() {
  const { data } = useQuery({ ...openAlertsQuery(), refetchInterval: FIRING_MS });
  if (!data || data.items.length === 0) return null;
  const mark = firingMark(data.items);
  return (
    <p className={classes.verdict} data-status={mark === "failing" ? "fail" : "warn"}>
      <MarkShape mark={mark} />
      <Link href="/alerts">{verdictOf(data.items, data.next !== null)}</Link>
    </p>
  );
}

/** Returns how many probes fail, and whether the server answers at all. */
export function useTrouble(): { failing: number; hasAnswer: boolean } {
  const { data, error } = useHealth();
  const isCutOff = useConnectionPhase() === "reconnecting";
  const seesAll = useSeesAll();
  const failing = data?.probes.filter(({ status }) => status === "fail").length ?? 0;
  return { failing, hasAnswer: seesAll === false ? !isCutOff : error === null };
}
