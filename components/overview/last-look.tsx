"use client";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { meQuery } from "../queries/access";
import { eventsQuery } from "../queries/events";
import { formatDuration } from "../ui/format";
import { readKept, writeKept } from "../ui/kept";
import { Link } from "../ui/link";
import { serverNow } from "../ui/server-time";
import { Since } from "../ui/since";
import { Said } from "../ui/said";

/** Away for less, one has hardly looked away. */
const AWAY_MS = 15 * 60_000;
const SEEN_EVERY_MS = 30_000;
const TOLD = 2;

/** What happened since this person last looked at the overview in this browser; nothing while they were hardly away. */
export function SinceLastLook() {
  const { data: me } = useQuery(meQuery());
  return me ? <Told key={me.accountId} name={`last-look ${me.accountId ?? me.name}`} /> : <p />;
}

function Told({ name }: { readonly name: string }) {
  const [before] = useState(() => readKept(name));
  useEffect(() => {
    const look = () => {
      if (document.visibilityState === "visible") writeKept(name, new Date(serverNow()).toISOString());
    };
    look();
    const timer = setInterval(look, SEEN_EVERY_MS);
    return () => clearInterval(timer);
  }, [name]);
  const [wasAway] = useState(() => before !== null && serverNow() - Date.parse(before) >= AWAY_MS);
  const since = wasAway ? before : null;
  const { data } = useQuery({
    ...eventsQuery({ from: since ?? undefined, severity: "warning", limit: 100 }),
    enabled: since !== null,
  });
  if (since === null || !data) return <p />;
  const began = data.items.filter(({ from }) => from >= since);
  const told = began.toSorted((a, b) => Number(b.severity === "critical") - Number(a.severity === "critical"));
  return (
    <p>
      Since you last looked (<Since time={since} />
      ):{" "}
      {told.length === 0
        ? "no trouble."
        : told.slice(0, TOLD).map(({ id, sentence, from, to }, i) => (
            <span key={id}>
              {i > 0 ? "; " : ""}
              <Said text={sentence} />
              {to === null ? ", still" : ` (${formatDuration(Date.parse(to) - Date.parse(from))})`}
            </span>
          ))}
      {told.length > TOLD ? ` and ${told.length - TOLD} more.` : ""}{" "}
      <Link href={`/events?from=${encodeURIComponent(since)}`}>See the events</Link>
    </p>
  );
}
