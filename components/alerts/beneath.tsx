"use client";
import { useQuery } from "@tanstack/react-query";
import { toSegment } from "@/server/domain/segment";
import { alertsQuery } from "../queries/alerts";
import { Age } from "../ui/age";
import { Loading } from "../ui/feedback";
import { formatTotal } from "../ui/format";
import { Link } from "../ui/link";
import { StateMark } from "../ui/state-mark";
import classes from "./alerts.module.css";
import { standingOf } from "./words";

const MOST = 50;

/** The alerts beneath that of their site, on demand. */
export function Beneath({ parent, count }: { parent: string; count: number }) {
  const { data, error } = useQuery(alertsQuery({ state: "open", parent, order: "worst", limit: MOST }));
  if (!data)
    return (
      <li className={classes.beneath}>
        {error ? <p role="alert">{error.message}</p> : <Loading rows={3} height={28} label="Loading those beneath" />}
      </li>
    );
  return (
    <li className={classes.beneath}>
      <ul aria-label="Beneath it">
        {data.items.map((alert) => {
          const [mark, word] = standingOf(alert);
          return (
            <li key={alert.id}>
              <StateMark mark={mark} word={word} />
              <Link href={`/alerts/${alert.id}`}>{alert.rule.name}</Link>
              {alert.device === null ? null : <Link href={`/devices/${toSegment(alert.device)}`}>{alert.device}</Link>}
              <Age time={alert.startedAt} />
            </li>
          );
        })}
      </ul>
      {data.next === null ? null : <Link href={`/alerts?parent=${parent}`}>All {formatTotal(count)}</Link>}
    </li>
  );
}
