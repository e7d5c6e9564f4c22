"use client";
import { Button } from "@mantine/core";
import dynamic from "next/dynamic";
import { useState } from "react";
import type { QualityAnswer } from "@/server/contracts/quality";
import { readable } from "@/server/domain/readable";
import { toSegment } from "@/server/domain/segment";
import { CHECKS, type Check } from "../ui/check-words";
import { formatTotal } from "../ui/format";
import { Link } from "../ui/link";
import { Spoken } from "../ui/spoken";
import { Score } from "../ui/score";
import type { Series as OneSeries } from "./limits-dialog";
import { PartCells, PartHeads } from "./parts";
import classes from "./quality.module.css";

const LimitsDialog = dynamic(() => import("./limits-dialog").then((dialog) => dialog.LimitsDialog), { ssr: false });

/** Series with their score, its five parts as bars, what flagged them, and what their checks go by. */
export function Series({ items, isBusy }: { items: QualityAnswer["items"]; isBusy: boolean }) {
  const [asked, setAsked] = useState<OneSeries | null>(null);
  return (
    <div className={classes.tableBox} aria-busy={isBusy}>
      {asked ? <LimitsDialog series={asked} onClose={() => setAsked(null)} /> : null}
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">Series</th>
            <th scope="col" data-number>
              Score
            </th>
            <PartHeads />
            <th scope="col">Flagged</th>
            <th scope="col">
              <Spoken>Limits</Spoken>
            </th>
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
              <PartCells parts={parts} />
              <td className={classes.flagged}>
                {(Object.keys(flagged) as Check[]).map((check) => (
                  <span key={check} title={CHECKS[check].about}>
                    {CHECKS[check].title} {formatTotal(flagged[check]!)}
                  </span>
                ))}
              </td>
              <td>
                <Button
                  size="compact-xs"
                  variant="default"
                  aria-label={`Limits of ${metric} of ${device}`}
                  onClick={() => setAsked({ device, site, metric })}
                >
                  Limits
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
