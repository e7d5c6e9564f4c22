import type { QualityAnswer } from "@/server/contracts/quality";
import { type Part, PARTS } from "@/server/domain/quality/score";
import { readable } from "@/server/domain/readable";
import { toSegment } from "@/server/domain/segment";
import { CHECKS, type Check } from "../ui/check-words";
import { formatTotal } from "../ui/format";
import { Link } from "../ui/link";
import classes from "./quality.module.css";
import { Score } from "./score";
import { partWord, scoreMark } from "./words";

const PART_NAMES = Object.keys(PARTS) as Part[];

/** Series with their score, its five parts as bars, and what flagged them. */
export function Series({ items, isBusy }: { items: QualityAnswer["items"]; isBusy: boolean }) {
  return (
    <div className={classes.tableBox} aria-busy={isBusy}>
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">Series</th>
            <th scope="col" data-number>
              Score
            </th>
            {PART_NAMES.map((part) => (
              <th key={part} scope="col" title={PARTS[part].about}>
                {PARTS[part].title}
              </th>
            ))}
            <th scope="col">Flagged</th>
          </tr>
        </thead>
        <tbody>
          {items.map(({ device, site, metric, score, received, expected, flagged, ...parts }) => (
            <tr key={`${device} ${metric}`}>
              <th scope="row">
                <Link href={`/devices/${toSegment(device)}?metric=${encodeURIComponent(metric)}&range=24h`}>
                  {device} · {metric}
                </Link>
                <small>
                  {site === null ? "" : `${readable(site)} · `}
                  {formatTotal(received)} received, {expected === null ? "unknown how many" : formatTotal(expected)}{" "}
                  expected
                </small>
              </th>
              <td data-number>
                <Score score={score} />
              </td>
              {PART_NAMES.map((part) => (
                <td key={part} data-part={PARTS[part].title}>
                  <Bar part={parts[part]} />
                </td>
              ))}
              <td className={classes.flagged}>
                {(Object.keys(flagged) as Check[]).map((check) => (
                  <span key={check} title={CHECKS[check].about}>
                    {CHECKS[check].title} {formatTotal(flagged[check]!)}
                  </span>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Bar({ part }: { part: number | null }) {
  return (
    <span className={classes.part}>
      <span className={classes.bar} aria-hidden="true">
        {part === null ? null : (
          <i data-mark={scoreMark(part * 100)} style={{ width: `${Math.max(2, part * 100)}%` }} />
        )}
      </span>
      {partWord(part)}
    </span>
  );
}
