"use client";
import { useQuery } from "@tanstack/react-query";
import { useLive, useRefusal } from "../live/provider";
import { healthQuery } from "../queries/health";
import { RequestError } from "../queries/request";
import { Since } from "../ui/since";
import { MarkShape, probeMark } from "../ui/state-mark";
import classes from "./shell.module.css";

/** The verdict on the whole, in one line. The shell keeps health up to date. */
export function Verdict() {
  const refusal = useRefusal();
  const { data, error } = useQuery(healthQuery(useLive()));
  if (isOfAllSites(error)) return null;
  if (error) {
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
  if (!data) return <p className={classes.verdict} />;
  const { what, since, means } = data.parts;
  const isTrouble = data.status === "fail" || data.status === "warn";
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

/** True if health isn't told to who sees some sites alone. */
function isOfAllSites(error: Error | null): boolean {
  return error instanceof RequestError && error.status === 403;
}

/** Returns how many probes fail, and whether the server answers at all. */
export function useTrouble(): { failing: number; hasAnswer: boolean } {
  const { data, error } = useQuery(healthQuery(useLive()));
  const failing = data?.probes.filter(({ status }) => status === "fail").length ?? 0;
  return { failing, hasAnswer: error === null || isOfAllSites(error) };
}
