"use client";
import { useQuery } from "@tanstack/react-query";
import type { AlertSummary, ListedAlert } from "@/server/contracts/alerts";
import { readable } from "@/server/domain/readable";
import { alertsQuery, alertSummaryQuery } from "../queries/alerts";
import { firingMark, severityWords } from "../shell/firing-words";
import { Age } from "../ui/age";
import { formatTotal } from "../ui/format";
import { Since } from "../ui/since";
import { MarkShape } from "../ui/state-mark";
import classes from "./wall.module.css";

/** Alerts that fit, each on a line. */
const LINES = 3;
/** The worst that are asked for: those nobody looks after come first of them. */
const ASKED = 20;

/** What is known of alerts: not yet anything, nothing at all and why, that none fires, or which do. */
export type WallAlerts =
  | { readonly is: "not yet" | "none" }
  | { readonly is: "unknown"; readonly why: string }
  | { readonly is: "firing"; readonly summary: AlertSummary; readonly worst: readonly ListedAlert[] };

/** What fires, for the wall. */
export function useWallAlerts(): WallAlerts {
  const { data: summary, error } = useQuery(alertSummaryQuery());
  const { data: worst } = useQuery(alertsQuery({ state: "open", parent: "none", order: "worst", limit: ASKED }));
  // What was known before an error may be over by now: neither that nor "none" is claimed.
  if (error) return { is: "unknown", why: error.message };
  if (summary === undefined) return { is: "not yet" };
  if (summary.firing === 0) return { is: "none" };
  return { is: "firing", summary, worst: worst?.items ?? [] };
}

/** The alerts that fire, by number and the worst of them; nothing where none does, which the verdict says. */
export function WallAlertLines({ alerts }: { alerts: WallAlerts }) {
  if (alerts.is === "unknown")
    return (
      <section aria-label="Alerts" className={classes.alerts}>
        <h2>
          <MarkShape mark="unknown" />
          <span>Whether alerts fire isn&apos;t known: {alerts.why}</span>
        </h2>
      </section>
    );
  if (alerts.is !== "firing") return null;
  const { summary } = alerts;
  const worst = alerts.worst.toSorted((a, b) => Number(a.acknowledged !== null) - Number(b.acknowledged !== null));
  const shown = worst.slice(0, LINES);
  const left = summary.firing - shown.length;
  return (
    <section aria-label="Alerts" className={classes.alerts}>
      <h2>
        <MarkShape mark={firingMark(summary)} />
        <span>Firing: {severityWords(summary)}</span>
        {left > 0 && shown.length > 0 ? <small>{formatTotal(left)} more</small> : null}
      </h2>
      <ul>
        {shown.map(({ id, rule, severity, acknowledged, device, subject, site, firedAt }) => (
          <li key={id} data-alert={id} data-acknowledged={acknowledged !== null || undefined}>
            <MarkShape
              mark={acknowledged !== null ? "acknowledged" : severity === "critical" ? "failing" : "warning"}
            />
            <span>{readable(rule.name)}</span>
            {/* Where it is is never cut before what it is. */}
            <em>
              {[device ?? subject, site]
                .filter((part) => part !== null)
                .map(readable)
                .join(" · ")}
            </em>
            <b>
              <Since time={firedAt} />
              <small>
                <Age time={firedAt} isCalm />
              </small>
            </b>
          </li>
        ))}
      </ul>
    </section>
  );
}
