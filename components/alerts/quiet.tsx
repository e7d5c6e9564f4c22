"use client";
import { useQuery } from "@tanstack/react-query";
import { counted } from "@/server/domain/counted";
import { alertSummaryQuery } from "../queries/alerts";
import { fleetSummaryQuery } from "../queries/devices";
import { rulesQuery } from "../queries/rules";
import { DEFAULT_SORT } from "../queries/wanted-devices";
import { useFiring } from "../shell/firing";
import { Empty } from "../ui/feedback";
import { Link } from "../ui/link";
import { MarkShape } from "../ui/state-mark";
import classes from "./alerts.module.css";
import type { Shown } from "../queries/wanted-alerts";

const WHOLE_FLEET = { sort: DEFAULT_SORT } as const;

/** The verdict on all that fires and on who can be told, in one line; nothing while there is nothing to tell. */
export function InboxVerdict() {
  const firing = useFiring();
  const { data: summary } = useQuery(alertSummaryQuery());
  return (
    <>
      {firing === null ? null : (
        <p className={classes.verdict} role="status">
          <MarkShape mark={firing.mark} />
          <span>{firing.words}.</span>
        </p>
      )}
      {summary === undefined || summary.tellsAnybody ? null : (
        <p className={classes.verdict}>
          <MarkShape mark="unknown" />
          <span>
            Nobody is told of alerts: no route leads to a channel that is on.{" "}
            <Link href="/alerts/channels">See channels and routes</Link>
          </span>
        </p>
      )}
    </>
  );
}

/** What is said where nothing is listed. */
export function Quiet({ shown }: { shown: Shown }) {
  const { data: rules } = useQuery(rulesQuery());
  const { data: fleet } = useQuery(fleetSummaryQuery(WHOLE_FLEET));
  if (shown === "acknowledged") return <Empty>Nobody has acknowledged anything that still fires.</Empty>;
  if (shown === "ended") return <Empty>No alert has ended yet.</Empty>;
  const watching = rules?.filter(({ enabled }) => enabled).length;
  if (watching === 0)
    return (
      <Empty action={<Link href="/alerts/rules">Go to the rules</Link>}>
        Nothing fires, and nothing can: no rule is on.
      </Empty>
    );
  return (
    <Empty action={<Link href="/alerts/rules">See the rules</Link>}>
      Nothing fires.
      {watching === undefined || !fleet
        ? ""
        : ` ${counted(watching, "rule")} ${watching === 1 ? "watches" : "watch"} ${counted(fleet.all, "device")}.`}
    </Empty>
  );
}
