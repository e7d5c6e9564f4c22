"use client";
import { useQuery } from "@tanstack/react-query";
import { deviceDayQuery } from "../queries/quality";
import { NotYet } from "../shell/not-yet";
import { formatTotal } from "../ui/format";
import { Link } from "../ui/link";
import { Section } from "../ui/section";
import { Score } from "../ui/score";
import { PartCells, PartHeads } from "./parts";
import classes from "./quality.module.css";

/** How good a device's readings are: its score and why, and what came again, late or with another value within a day. */
export function DeviceQuality({ device }: { device: string }) {
  const { data, error, refetch, isFetching } = useQuery(deviceDayQuery(device));
  const all = (
    <Link href={`/quality?${new URLSearchParams({ device }).toString()}`} className={classes.aside}>
      On the page Quality
    </Link>
  );
  return (
    <Section title="Quality" aside={all}>
      {data ? null : (
        <NotYet
          what="the quality of its readings"
          error={error}
          onRetry={() => void refetch()}
          isRetrying={isFetching}
          rows={3}
          height={32}
        />
      )}
      {data ? (
        <>
          <dl className={classes.facts}>
            <div>
              <dt>Score{data.day === null ? "" : ` of ${data.day} (UTC)`}</dt>
              <dd data-fact="score">
                <Score score={data.series[0]?.score ?? null} />
              </dd>
            </div>
            {COUNTS.map(([key, title, about]) => (
              <div key={key}>
                <dt title={about}>{title}, 24 h</dt>
                <dd data-fact={key}>{formatTotal(data.counts[key])}</dd>
              </div>
            ))}
          </dl>
          {data.series.length === 0 ? (
            <p className={classes.about}>Nothing of it is scored yet: that takes some minutes of readings.</p>
          ) : (
            <div className={classes.tableBox}>
              <table className={classes.table}>
                <thead>
                  <tr>
                    <th scope="col">Metric</th>
                    <th scope="col" data-number>
                      Score
                    </th>
                    <PartHeads />
                  </tr>
                </thead>
                <tbody>
                  {data.series.map(({ metric, score, ...parts }) => (
                    <tr key={metric}>
                      <th scope="row">{metric}</th>
                      <td data-number>
                        <Score score={score} />
                      </td>
                      <PartCells parts={parts} />
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </>
      ) : null}
    </Section>
  );
}

const COUNTS = [
  ["repeats", "Sent again", "Readings that were stored already: ignored and counted"],
  ["late", "Late", "Readings older than the latest it had sent: stored where they belong"],
  ["conflicts", "Another value", "Readings with another value than the one stored at their time: the first stays"],
] as const;
