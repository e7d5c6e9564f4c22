"use client";
import { useQuery } from "@tanstack/react-query";
import type { Alert, AlertWithEvents } from "@/server/contracts/alerts";
import { formatDuration } from "@/server/domain/duration";
import { alertsQuery } from "../queries/alerts";
import { Age } from "../ui/age";
import { formatMetric } from "../ui/format";
import { Link } from "../ui/link";
import { Section } from "../ui/section";
import { StateMark } from "../ui/state-mark";
import classes from "./alert.module.css";
import { Moment } from "./moment";
import { standingOf } from "./words";

/** Other alerts of the same rule on the same device. */
export function Earlier({ alert: { id, rule }, device }: { alert: AlertWithEvents; device: string }) {
  const { data } = useQuery(alertsQuery({ state: "all", rule: String(rule.id), device, limit: 20 }));
  const others = data?.items.filter((one) => one.id !== id) ?? [];
  return (
    <Section title="Of this rule on this device">
      {data && others.length === 0 ? <p className={classes.muted}>No other alert is kept.</p> : null}
      <Others alerts={others} />
    </Section>
  );
}

/** What else of the same rule fires now. */
export function Alike({ alert: { id, rule } }: { alert: AlertWithEvents }) {
  const { data } = useQuery(alertsQuery({ state: "open", rule: String(rule.id), order: "worst", limit: 20 }));
  const others = data?.items.filter((one) => one.id !== id) ?? [];
  return (
    <Section title="Of this rule elsewhere, now">
      {data && others.length === 0 ? <p className={classes.muted}>Nothing else of it fires.</p> : null}
      <Others alerts={others} isElsewhere />
    </Section>
  );
}

function Others({ alerts, isElsewhere = false }: { alerts: readonly Alert[]; isElsewhere?: boolean }) {
  return (
    <ul className={classes.earlier}>
      {alerts.map((one) => {
        const [mark, word] = standingOf(one);
        const lasted = one.endedAt === null ? null : Date.parse(one.endedAt) - Date.parse(one.startedAt);
        const place = isElsewhere ? (one.device ?? one.subject ?? one.site) : null;
        return (
          <li key={one.id}>
            <StateMark mark={mark} word={word} />
            <Link href={`/alerts/${one.id}`}>{place ?? <Moment time={one.startedAt} />}</Link>
            <span>
              {place !== null ? (
                <Age time={one.startedAt} />
              ) : lasted === null ? (
                "not over yet"
              ) : (
                `for ${formatDuration(lasted)}`
              )}
            </span>
            <span>
              {one.worstValue === null ? "" : `worst ${formatMetric(one.worstValue, one.decimals)}`}
              {one.worstValue !== null && one.unit ? <small> {one.unit}</small> : null}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
