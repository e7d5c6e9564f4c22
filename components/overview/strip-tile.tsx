"use client";
import { ownMember } from "@/server/domain/own-member";
import { useQuery } from "@tanstack/react-query";
import { memo, useMemo } from "react";
import type { WatchedDevice } from "../queries/overview";
import type { DeviceView } from "@/server/contracts/devices";
import { toSegment } from "@/server/domain/segment";
import { unitOf } from "../ui/meaning";
import { inMetricOrder } from "../ui/metric-order";
import { useLive, useRoom } from "../live/provider";
import { applyToDetail, deviceQuery } from "../queries/device";
import { sparklinesQuery } from "../queries/devices";
import { useMetricLook } from "../queries/metrics";
import { Age } from "../ui/age";
import { isBehind, useDeviceState } from "../ui/device-state";
import { formatMetric } from "../ui/format";
import { Quantity } from "../ui/quantity";
import { Sparkline } from "../ui/sparkline";
import { rangeOf } from "../ui/sparkline-path";
import { DeviceMark, MarkShape } from "../ui/state-mark";
import { metricColor } from "../ui/theme";
import classes from "./strip.module.css";
import { Link } from "../ui/link";

interface StripTileProps {
  id: string;
  /** The device as it was found; its own room brings what is new. */
  found: DeviceView | undefined;
  /** The worst alert that fires there. */
  alert: WatchedDevice["alert"];
  /** The metric to show; that of the alert, or the device's first number unless given, or when it has no such number. */
  metric: string | null;
  isPinned: boolean;
  onPin: (metric: string | null) => void;
}

/** One metric of one device: what it is now, and its last hour. Live. */
export const StripTile = memo(function StripTile({ id, found, alert, metric, isPinned, onPin }: StripTileProps) {
  const live = useLive();
  const query = deviceQuery(live, id);
  const own = useQuery(query);
  const data: DeviceView | undefined = own.data ?? found;
  useRoom(`device:${id}`, query.queryKey, applyToDetail);
  const name = data ? shownMetric(data.values, metric ?? alert?.metric ?? null) : null;
  const ids = useMemo(() => [id], [id]);
  const { data: lines } = useQuery(sparklinesQuery(ids, name));
  const current = name === null ? undefined : data && ownMember(data.values, name)?.value;
  const value = typeof current === "number" ? current : null;
  const look = useMetricLook(name);
  const values = lines?.metric === name ? withLatest(ownMember(lines.series, id) ?? [], value) : [];
  const state = useDeviceState(data);
  return (
    <li className={classes.tile} data-behind={(state !== null && state !== "live") || undefined}>
      <div className={classes.head}>
        <Link href={`/devices/${toSegment(id)}${name ? `?metric=${encodeURIComponent(name)}` : ""}`}>{id}</Link>
        <button
          type="button"
          className={classes.pin}
          aria-pressed={isPinned}
          aria-label={isPinned ? `Unpin ${id}` : `Pin ${id}`}
          title={isPinned ? "Unpin: it may make place for others" : "Pin: it stays here in this browser"}
          onClick={() => onPin(metric ?? name)}
        >
          {isPinned ? "Pinned" : "Pin"}
        </button>
      </div>
      <div className={classes.value}>
        {data ? (
          <Quantity
            value={value}
            unit={name !== null && lines?.metric === name ? unitOf(data, name, lines) : null}
            format={(figure) => formatMetric(figure, look.decimals)}
          />
        ) : null}
        {name ? <small title={name}>{name}</small> : null}
      </div>
      <div className={classes.note}>
        {alert ? (
          <Link href={`/alerts/${alert.id}`} className={classes.alert} title={`Fires: ${alert.rule}`}>
            <MarkShape mark="failing" />
            {alert.rule}
          </Link>
        ) : null}
        {state !== null && (!alert || isBehind(state)) ? (
          <DeviceMark state={state} isGone={data?.goneAt !== null} />
        ) : null}
        {data?.lastSeen ? <Age time={data.lastSeen} /> : null}
      </div>
      <div className={classes.spark}>
        {name && values.length > 0 ? (
          <Sparkline
            values={values}
            color={metricColor(name, look.color)}
            label={`${name} of ${id} over the last hour`}
            range={rangeOf(values)}
          />
        ) : null}
      </div>
    </li>
  );
});

function shownMetric(values: DeviceView["values"], asked: string | null): string | null {
  const isNumber = (name: string) => typeof ownMember(values, name)?.value === "number";
  if (asked !== null && isNumber(asked)) return asked;
  return inMetricOrder(Object.keys(values).filter(isNumber))[0] ?? null;
}

/** The running minute ends with what was said last. */
function withLatest(values: readonly (number | null)[], latest: number | null): (number | null)[] {
  const last = values.at(-1);
  return last === undefined || last === null || latest === null ? [...values] : [...values.slice(0, -1), latest];
}
