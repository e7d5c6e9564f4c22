"use client";
import type { Explained } from "@/server/contracts/sources";
import { counted } from "@/server/domain/counted";
import { readable } from "@/server/domain/readable";
import { formatExact, formatInstant, formatMeasure } from "../ui/format";
import { MarkShape } from "../ui/state-mark";
import { useZone } from "../ui/zone";
import classes from "./mapping.module.css";
import { arrivedWords, reasonWords } from "./words";

interface BecomesProps {
  explained: Explained;
  pointed: string | null;
  onPoint: (path: string | null) => void;
}

/** The readings that a payload becomes, by device and time, and what of it is refused. */
export function Becomes({ explained, pointed, onPoint }: BecomesProps) {
  const { messages, refused } = explained;
  const { zone } = useZone();
  return (
    <div className={classes.becomes}>
      <p className={classes.sum} role="status">
        <MarkShape mark={refused.length > 0 ? "failing" : messages.length > 0 ? "ok" : "stale"} />
        {messages.length > 0
          ? arrivedWords(explained)
          : refused.length > 0
            ? "Nothing of it"
            : "Ignored: it is no data"}
        {refused.length > 0 ? `, ${formatExact(refused.length)} refused` : ""}
      </p>
      {refused.length > 0 ? (
        <ul className={classes.refusals}>
          {refused.slice(0, 20).map(({ path, reason, detail }, i) => (
            <li key={`${i} ${path}`} data-pointed={pointed === path || undefined}>
              <b>{reasonWords(reason)}</b>
              {path === "" ? "" : ` · ${path}`}: {readable(detail)}
            </li>
          ))}
        </ul>
      ) : null}
      {messages.map(({ device, time, timeFrom, readings }, i) => (
        <table key={`${i} ${device} ${time}`} className={classes.readings}>
          <caption>
            <b>{device}</b> {formatInstant(Date.parse(time), zone)}{" "}
            <small>{timeFrom === "payload" ? "as the payload says" : "its arrival"}</small>
          </caption>
          <tbody>
            {readings.map(({ metric, value, unit, path }) => (
              <tr
                key={`${metric} ${path}`}
                data-pointed={pointed === path || undefined}
                onMouseEnter={() => onPoint(path)}
                onMouseLeave={() => onPoint(null)}
              >
                <th scope="row">{metric}</th>
                <td title={typeof value === "number" ? formatExact(value) : undefined}>
                  {typeof value === "number" ? formatMeasure(value) : readable(String(value))}
                  {typeof value === "string" ? <small> text, no reading</small> : null}
                </td>
                <td>{unit !== null ? readable(unit) : typeof value === "number" ? <small>no unit</small> : null}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ))}
      {messages.length === 0 && refused.length === 0 ? (
        <p className={classes.hint}>{counted(explained.leaves.length, "value")} in it, all left out by rules.</p>
      ) : null}
    </div>
  );
}
