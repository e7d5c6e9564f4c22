"use client";
import { useQuery } from "@tanstack/react-query";
import { alertsQuery, openAlertsQuery } from "../queries/alerts";
import { Link } from "../ui/link";
import { MarkShape } from "../ui/state-mark";
import classes from "./firing.module.css";
import { firingMark, verdictOf } from "./firing-words";

/** What fires, in one line that leads to the inbox; nothing while nothing does. */
export function FiringLine() {
  const { data } = useQuery(openAlertsQuery());
  if (!data || data.items.length === 0) return null;
  return (
    <p className={classes.line}>
      <MarkShape mark={firingMark(data.items)} />
      <Link href="/alerts">{verdictOf(data.items, data.next !== null)}</Link>
    </p>
  );
}

/** The alerts of a device that fire, each by its rule; nothing while none does. */
export function FiringAt({ device }: { device: string }) {
  const { data } = useQuery(alertsQuery({ state: "open", device, limit: 20 }));
  if (!data || data.items.length === 0) return null;
  return (
    <p className={classes.line}>
      <MarkShape mark={firingMark(data.items)} />
      <span>
        Firing:{" "}
        {data.items.map(({ id, rule, metric }, i) => (
          <span key={id}>
            {i === 0 ? "" : ", "}
            <Link href={`/alerts/${id}`}>{rule.name}</Link>
            {metric === null ? "" : ` (${metric})`}
          </span>
        ))}
      </span>
    </p>
  );
}
