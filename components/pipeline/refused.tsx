import type { StagesAnswer } from "@/server/contracts/stages";
import { formatTotal } from "../ui/format";
import { Section } from "../ui/section";
import { reasonTitle, refusals } from "./charts-data";
import classes from "./pipeline.module.css";
import { Link } from "../ui/link";

/**
 * Lists what could not become a reading in the range, by reason: at the door, where the sender was told, and at the
 * worker, which kept it.
 */
export function Refused({ stages, range }: { stages: StagesAnswer; range: string }) {
  const rows = refusals(stages.buckets);
  const requests = new Map<string, number>();
  for (const bucket of stages.buckets) {
    for (const [kind, count] of Object.entries(bucket.requests)) requests.set(kind, (requests.get(kind) ?? 0) + count);
  }
  return (
    <Section title={`Refused in the last ${range}`}>
      {rows.length === 0 && requests.size === 0 ? (
        <p className={classes.note}>Nothing.</p>
      ) : (
        <div className={classes.scroll} role="region" aria-label="Refused, table" tabIndex={0}>
          <table className={classes.table} data-refused>
            <thead>
              <tr>
                <th scope="col">Reason</th>
                <th scope="col" title="Messages and fields the worker could not make a reading of; kept whole">
                  Dead letters
                </th>
                <th scope="col" title="Messages the telemetry route refused; each was named to its sender and not kept">
                  Refused at the door
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ reason, letters, rejected }) => (
                <tr key={reason}>
                  <th scope="row">{reasonTitle(reason)}</th>
                  <td>
                    {letters > 0 ? (
                      <Link
                        href={`/dead-letters?reason=${encodeURIComponent(reason)}`}
                        aria-label={`${formatTotal(letters)} dead letters: ${reasonTitle(reason)}`}
                      >
                        {formatTotal(letters)}
                      </Link>
                    ) : (
                      0
                    )}
                  </td>
                  <td>{formatTotal(rejected)}</td>
                </tr>
              ))}
              {[...requests].map(([kind, count]) => (
                <tr key={kind}>
                  <th scope="row">Whole requests: {kind.replaceAll("-", " ")}</th>
                  <td />
                  <td>{formatTotal(count)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}
