"use client";
import { useQuery } from "@tanstack/react-query";
import { counted } from "@/server/domain/counted";
import { readable } from "@/server/domain/readable";
import { qualityQuery } from "../queries/overview";
import { worstQuery } from "../queries/quality";
import { Loading } from "../ui/feedback";
import { formatCount, formatTotal } from "../ui/format";
import { Score } from "../ui/score";
import { Section } from "../ui/section";
import classes from "./lists.module.css";
import { type Quality as Counts, share } from "../queries/quality-counts";
import { Link } from "../ui/link";

const ROWS = [
  ["repeats", "readings", "Repeats", "Readings that were stored already: ignored and counted", "/pipeline"],
  [
    "conflicts",
    "readings",
    "Conflicts",
    "Readings with another value than the one stored at their time: the first stays",
    "/devices?conflicts=true",
  ],
  [
    "late",
    "readings",
    "Late",
    "Readings older than the latest their device had sent: stored where they belong",
    "/pipeline",
  ],
  ["refused", "messages", "Refused", "Messages the telemetry route named to their sender as wrong", "/pipeline"],
  [
    "deadLetters",
    "messages",
    "Dead letters",
    "Messages or fields that could not become a reading, kept whole",
    "/dead-letters",
  ],
] as const satisfies readonly (readonly [keyof Counts, "readings" | "messages", string, string, string])[];

const NO_FILTER = { site: null, device: null, check: null };

/** How good the data is: the worst site by score, and what was wrong in the last 15 minutes. */
export function Quality() {
  const { data, error } = useQuery(qualityQuery());
  return (
    <Section title="Data quality" aside={<span className={classes.aside}>last 15 min</span>}>
      {data ? (
        <ul className={classes.list}>
          <WorstSite />
          {ROWS.map(([key, of, name, title, href]) => (
            <li key={key}>
              <Link href={href} title={title} className={classes.row}>
                <span className={classes.name}>{name}</span>
                <span className={classes.number} data-quality={key} title={formatTotal(data[key])}>
                  {formatCount(data[key])}
                </span>
                <span className={classes.share} title={`of ${formatTotal(wholeOf(data, of))} ${of}`}>
                  {share(data[key], wholeOf(data, of))}
                </span>
              </Link>
            </li>
          ))}
        </ul>
      ) : error ? (
        <p className={classes.none}>Could not be loaded: {error.message}</p>
      ) : (
        <Loading rows={5} label="Loading data quality" />
      )}
    </Section>
  );
}

/** The site whose devices' readings are the worst, by the score of the latest day; nothing while none is scored. */
function WorstSite() {
  const { data } = useQuery(worstQuery(NO_FILTER, null));
  const worst = data?.sites[0];
  if (!data?.day || !worst) return null;
  const below = data.sites.reduce((sum, { below80 }) => sum + below80, 0);
  const unknown = data.sites.reduce((sum, { unknown }) => sum + unknown, 0);
  const title = `Median of its devices' scores on ${data.day} (UTC). At all sites ${counted(below, "device")} below 80, ${unknown} unknown`;
  return (
    <li>
      <Link href="/quality" title={title} className={classes.row}>
        <span className={classes.name}>
          Worst site by score: {worst.site === null ? "those without a site" : readable(worst.site)}
        </span>
        <span className={classes.number} data-quality="score">
          <Score score={worst.median} />
        </span>
        <span className={classes.share}>of 100</span>
      </Link>
    </li>
  );
}

/** Returns the total a count is shown as a share of; refused messages are not among the stored ones. */
function wholeOf(counts: Counts, of: "readings" | "messages"): number {
  return of === "readings" ? counts.readings : counts.messages + counts.refused;
}
