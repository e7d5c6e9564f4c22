"use client";
import { useQuery } from "@tanstack/react-query";
import { qualityQuery } from "../queries/overview";
import { Loading } from "../ui/feedback";
import { formatCount, formatTotal } from "../ui/format";
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

/** Shows what was wrong with the data of the last 15 minutes. */
export function Quality() {
  const { data, error } = useQuery(qualityQuery());
  return (
    <Section title="Data quality" aside={<span className={classes.aside}>last 15 min</span>}>
      {data ? (
        <ul className={classes.list}>
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

/** Returns the total a count is shown as a share of; refused messages are not among the stored ones. */
function wholeOf(counts: Counts, of: "readings" | "messages"): number {
  return of === "readings" ? counts.readings : counts.messages + counts.refused;
}
