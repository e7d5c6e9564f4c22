"use client";
import { useQuery } from "@tanstack/react-query";
import { alertsQuery, alertSummaryQuery } from "../queries/alerts";
import { useNow } from "../ui/clock";
import { Link } from "../ui/link";
import { MarkShape } from "../ui/state-mark";
import classes from "./firing.module.css";
import { firingMark, verdictOf } from "./firing-words";

const MINUTE_MS = 60_000;

/** What fires and who can't be told, as mark and words; null while there is nothing to tell. */
export function useFiring(): { readonly mark: ReturnType<typeof firingMark>; readonly words: string } | null {
  const { data } = useQuery(alertSummaryQuery());
  const now = useNow(MINUTE_MS);
  // How long a channel has been away isn't known while rendering on the server.
  const words = data && (now > 0 || data.channels.length === 0) ? verdictOf(data, now) : null;
  return data && words !== null ? { mark: firingMark(data), words } : null;
}

/** What fires, in one line that leads to the inbox; nothing while nothing does. */
export function FiringLine() {
  const firing = useFiring();
  if (firing === null) return null;
  return (
    <p className={classes.line}>
      <MarkShape mark={firing.mark} />
      <Link href="/alerts">{firing.words}</Link>
    </p>
  );
}

/** The alerts of a device that fire, each by its rule; nothing while none does. */
export function FiringAt({ device }: { device: string }) {
  const { data } = useQuery(alertsQuery({ state: "open", device, limit: 20 }));
  if (!data || data.items.length === 0) return null;
  return (
    <p className={classes.line}>
      <MarkShape mark={data.items.some(({ severity }) => severity === "critical") ? "failing" : "warning"} />
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
