import { ownMember } from "@/server/domain/own-member";
import { memo, type ReactNode } from "react";
import type { DeviceView } from "@/server/contracts/devices";
import { labelsText } from "@/server/domain/device-labels";
import { readable } from "@/server/domain/readable";
import { Age } from "../ui/age";
import { useMetricLook } from "../queries/metrics";
import { formatCount, formatMetric } from "../ui/format";
import { None } from "../ui/list-table";
import { Quantity } from "../ui/quantity";
import { Sparkline } from "../ui/sparkline";
import { rangeOf } from "../ui/sparkline-path";
import { metricColor } from "../ui/theme";
import { type Column, metricOf } from "./columns";
import { type KnownMetrics, shownAs, unitOf } from "../ui/meaning";
import { Labels } from "./labels";
import { type KeyedStore, useKeyed } from "./keyed-store";

/** Shows a device's value in a column; the trend is {@link Trend}. */
export function cellOf(column: Column, device: DeviceView, metrics: KnownMetrics): ReactNode {
  const metric = metricOf(column.id);
  if (metric !== null) {
    // A list that was saved before the metric was renamed still says its old name.
    const known = metrics.get(metric);
    const name = known?.name ?? metric;
    const current = ownMember(device.values, name);
    if (!current) return <None />;
    const format = (value: number) => formatMetric(value, known?.decimals ?? null);
    return <Quantity value={shownAs(current.value, known?.kind)} unit={unitOf(device, name, known)} format={format} />;
  }
  switch (column.id) {
    case "site":
    case "type":
      return readableOr(device[column.id], <None />);
    case "labels":
      return <Labels labels={device.labels} />;
    case "messages":
    case "conflicts":
      return <Quantity value={device[column.id]} format={formatCount} />;
    case "lastSeen":
    case "lastEventTime":
    case "firstSeen": {
      if (column.id === "lastSeen" && device.goneAt !== null) return <Gone at={device.goneAt} />;
      const time = device[column.id];
      if (!time) return <None word="never" />;
      // What just came is just "now": an age that jumps back with each message can't be read.
      return column.id === "lastSeen" ? <Age time={time} isCalm /> : <Age time={time} />;
    }
    default:
      return null;
  }
}

/** The last of a device that said goodbye. */
function Gone({ at }: { at: string }) {
  return (
    <>
      gone <Age time={at} />
    </>
  );
}

function readableOr<T>(text: string | null, none: T): string | T {
  return text === null ? none : readable(text);
}

/** The text a cell may be too narrow for. */
export function titleOf(column: Column, device: DeviceView): string | undefined {
  if (column.id === "site" || column.id === "type") return readableOr(device[column.id], undefined);
  if (column.id === "labels") return readable(labelsText(device.labels)) || undefined;
  return undefined;
}

interface TrendProps {
  trends: KeyedStore<readonly (number | null)[]>;
  id: string;
  metric: string;
}

/** The last hour of one metric by minute, as it moved. */
export const Trend = memo(function Trend({ trends, id, metric }: TrendProps) {
  const values = useKeyed(trends, id);
  const { color } = useMetricLook(metric);
  if (values === undefined) return null;
  if (values.length === 0) return <None />;
  return (
    <Sparkline
      values={values}
      color={metricColor(metric, color)}
      range={rangeOf(values)}
      label={`${metric} of the last hour`}
    />
  );
});
