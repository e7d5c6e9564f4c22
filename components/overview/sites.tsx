"use client";
import { readable } from "@/server/domain/readable";
import { useQuery } from "@tanstack/react-query";
import { DEFAULT_SORT } from "../queries/wanted-devices";
import { fleetSummaryQuery } from "../queries/devices";
import { Age } from "../ui/age";
import { Loading } from "../ui/feedback";
import { formatTotal } from "../ui/format";
import { Section } from "../ui/section";
import { StateMark } from "../ui/state-mark";
import classes from "./lists.module.css";
import { inTroubleOrder, overdueOf, type Site } from "./site-order";
import { StateBar } from "./states";
import { Link } from "../ui/link";

const ROWS = 6;

/** All devices, in the order of the list of devices. */
export const WHOLE_FLEET = { sort: DEFAULT_SORT } as const;

/** Sites with their devices by state, those with overdue ones first. */
export function Sites() {
  const { data, error } = useQuery(fleetSummaryQuery(WHOLE_FLEET));
  const sites = data ? inTroubleOrder(data.sites) : [];
  return (
    <Section title="Sites" aside={<span className={classes.aside}>{data ? tell(sites.length) : ""}</span>}>
      {!data && !error ? <Loading rows={ROWS} label="Loading sites" /> : null}
      {!data && error ? <p className={classes.none}>Could not be loaded: {error.message}</p> : null}
      {data && sites.length === 0 ? <p className={classes.none}>No device has named its site yet.</p> : null}
      {sites.length > 0 ? (
        <ul className={classes.list}>
          {sites.slice(0, ROWS).map((site) => (
            <li key={site.name}>
              <Link href={`/devices?site=${encodeURIComponent(site.name)}`} className={classes.row}>
                <span className={classes.name}>{readable(site.name)}</span>
                <span className={classes.siteBar}>
                  <StateBar devices={site.states} />
                </span>
                <span className={classes.overdue}>
                  <Overdue site={site} />
                </span>
                <span className={classes.number}>
                  {formatTotal(site.devices)}
                  <small> {site.devices === 1 ? "device" : "devices"}</small>
                </span>
                <span className={classes.age}>{site.lastSeen ? <Age time={site.lastSeen} /> : "never"}</span>
              </Link>
            </li>
          ))}
        </ul>
      ) : null}
    </Section>
  );
}

function Overdue({ site }: { site: Site }) {
  const { silent, stale } = site.states;
  if (overdueOf(site) === 0) return null;
  const word = [silent > 0 ? `${formatTotal(silent)} silent` : "", stale > 0 ? `${formatTotal(stale)} stale` : ""];
  return <StateMark mark={silent > 0 ? "warning" : "stale"} word={word.filter(Boolean).join(", ")} />;
}

function tell(count: number): string {
  return count > ROWS ? `${ROWS} of ${formatTotal(count)}, overdue first` : "overdue first";
}
