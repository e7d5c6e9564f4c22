"use client";
import { Drawer } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { DeviceDetail } from "@/server/contracts/devices";
import { toSegment } from "@/server/domain/segment";
import { useLive, useRoom } from "../live/provider";
import { changeOnly } from "../live/series";
import { applyToStrips, mustReloadStrips, textBands } from "../live/texts";
import { applyToDetail, deviceQuery } from "../queries/device";
import { stripsQuery } from "../queries/readings";
import { formatMetric } from "../ui/format";
import { FiringAt } from "../shell/firing";
import { NotYet } from "../shell/not-yet";
import { Age } from "../ui/age";
import { useNow } from "../ui/clock";
import { Link } from "../ui/link";
import { type KnownMetrics, shownAs, unitOf } from "../ui/meaning";
import { inMetricOrder } from "../ui/metric-order";
import { Quantity } from "../ui/quantity";
import { Availability } from "./availability";
import { DeviceFacts } from "./device-facts";
import classes from "./device-sheet.module.css";
import { Strip } from "./strip";
import { TextStrip } from "./text-strip";

const DAY_MS = 86_400_000;
/** The strips move on this often: a pixel of them is minutes. */
const STEP_MS = 10_000;

interface DeviceSheetProps {
  id: string;
  known: KnownMetrics;
  onClose: () => void;
}

/** One device beside the list, which stays where it is: what it is, what fires of it, its latest values and their last 24 hours. */
export function DeviceSheet({ id, known, onClose }: DeviceSheetProps) {
  const query = deviceQuery(useLive(), id);
  const { data, error, refetch, isFetching } = useQuery(query);
  useRoom(`device:${id}`, query.queryKey, applyToDetail);
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size={520}
      title={id}
      closeButtonProps={{ "aria-label": "Close" }}
      transitionProps={{ duration: 0 }}
    >
      <div className={classes.sheet}>
        <Link href={`/devices/${toSegment(id)}`}>Open its page</Link>
        {data ? (
          <>
            <FiringAt device={id} />
            <DeviceFacts id={id} known={known} />
            <Availability id={id} firstSeen={data.firstSeen} />
            <Values device={data} known={known} />
          </>
        ) : (
          <NotYet
            what={`the device ${id}`}
            error={error}
            onRetry={() => void refetch()}
            isRetrying={isFetching}
            rows={5}
            height={48}
          />
        )}
      </div>
    </Drawer>
  );
}

function Values({ device, known }: { device: DeviceDetail; known: KnownMetrics }) {
  const live = useLive();
  const strips = stripsQuery(live, {
    device: device.id,
    range: { spanMs: DAY_MS, end: null, begin: 0 },
    isLive: true,
  });
  const { data } = useQuery(strips);
  useRoom(`device:${device.id}`, strips.queryKey, applyToStrips, {
    reloadMs: 60_000,
    mustReload: mustReloadStrips,
  });
  const to = useNow(STEP_MS) + STEP_MS;
  const names = inMetricOrder(Object.keys(device.values));
  const held = changeOnly(data?.series);
  const heldUntil = device.lastEventTime === null ? null : Date.parse(device.lastEventTime);
  if (names.length === 0) return <p className={classes.muted}>No value yet.</p>;
  return (
    <section aria-label="Latest values and their last 24 hours">
      <h3>
        Values <small>last 24 h</small>
      </h3>
      <ul className={classes.values}>
        {names.map((name) => {
          const current = device.values[name]!;
          const series = data?.series.find(({ metric }) => metric === name);
          const text = data?.texts.find(({ field }) => field === name);
          const range = { from: to - DAY_MS, to };
          const metric = known.get(name);
          return (
            <li key={name}>
              <span className={classes.name} title={name}>
                {name}
                <small className={classes.muted}>
                  <Age time={current.time} isCalm />
                </small>
              </span>
              <b data-value={name}>
                <Quantity
                  value={shownAs(current.value, metric?.kind)}
                  unit={unitOf(device, name, metric)}
                  format={(value) => formatMetric(value, metric?.decimals ?? null)}
                />
              </b>
              <span className={classes.strip}>
                {series ? (
                  <Strip
                    {...{ series, to, heldUntil }}
                    place={metric?.color ?? null}
                    holds={held.includes(name)}
                    from={range.from}
                  />
                ) : text && typeof current.value === "string" ? (
                  <TextStrip bands={textBands(text.runs, range, heldUntil)} {...range} />
                ) : null}
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
