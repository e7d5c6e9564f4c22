"use client";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { DeviceView } from "@/server/contracts/devices";
import type { ViewPage } from "@/server/contracts/view-pages";
import { ownMember } from "@/server/domain/own-member";
import { readable } from "@/server/domain/readable";
import { toSegment } from "@/server/domain/segment";
import { alertsQuery } from "../queries/alerts";
import { fleetSummaryQuery } from "../queries/devices";
import { eventsQuery } from "../queries/events";
import { metricsQuery } from "../queries/metrics";
import { firstDevicesQuery, metricOfList, PINNED_EVERY_MS } from "../queries/pinned";
import { readView, wantedOf } from "../queries/wanted-alerts";
import { readWanted } from "../queries/wanted-devices";
import { wantedEvents } from "../queries/wanted-events";
import { Age } from "../ui/age";
import { useNow } from "../ui/clock";
import { isBehind, useDeviceState } from "../ui/device-state";
import { formatMetric, formatTotal, withZonedTimes } from "../ui/format";
import { metricsByName, shownAs, unitOf, type KnownMetrics } from "../ui/meaning";
import { Quantity } from "../ui/quantity";
import { DeviceMark, MarkShape } from "../ui/state-mark";
import { useZone } from "../ui/zone";
import pinned from "./pinned.module.css";
import { PinnedExplore } from "./pinned-explore";
import { PinnedRow, PinnedRows, type PinnedProps, PinnedTile, troubleOf } from "./pinned-tile";

/** Alerts that are counted; there may be more. */
const MOST_ALERTS = 100;
const MINUTE_MS = 60_000;

/** A pinned view of each page. */
const KINDS: Readonly<Record<ViewPage, (props: PinnedProps) => ReactNode>> = {
  explore: PinnedExplore,
  devices: PinnedDevices,
  events: PinnedEvents,
  alerts: PinnedAlerts,
};

/** A saved view as a tile, kept up to date. */
export function Pinned(props: PinnedProps) {
  const Kind = KINDS[props.view.page];
  return <Kind {...props} />;
}

function PinnedDevices({ view, rows, tools }: PinnedProps) {
  const address = new URLSearchParams(view.query);
  const wanted = readWanted(address);
  const metric = metricOfList(address);
  const first = useQuery(firstDevicesQuery(wanted, rows));
  const summary = useQuery({ ...fleetSummaryQuery(wanted), refetchInterval: PINNED_EVERY_MS });
  const { data: metrics } = useQuery({ ...metricsQuery(), enabled: metric !== null });
  const known = metricsByName(metrics?.items);
  return (
    <PinnedTile
      view={view}
      figure={
        summary.data ? (
          <>
            <b>{formatTotal(summary.data.total)}</b> {summary.data.total === 1 ? "device" : "devices"}
            {metric === null ? "" : ` by ${metric}`}
          </>
        ) : (
          "Devices"
        )
      }
      trouble={troubleOf(first.error ?? summary.error)}
      tools={tools}
    >
      {first.data ? (
        <PinnedRows isEmpty={first.data.length === 0} none="No device matches.">
          {first.data.map((device) => (
            <DeviceRow key={device.id} device={device} metric={metric} known={known} />
          ))}
        </PinnedRows>
      ) : null}
    </PinnedTile>
  );
}

interface DeviceRowProps {
  readonly device: DeviceView;
  readonly metric: string | null;
  readonly known: KnownMetrics;
}

/** A device with its latest value, which looks old and says how old where the device is overdue. */
function DeviceRow({ device, metric, known }: DeviceRowProps) {
  const state = useDeviceState(device);
  const isOld = isBehind(state);
  return (
    <PinnedRow
      href={`/devices/${toSegment(device.id)}${metric === null ? "" : `?metric=${encodeURIComponent(metric)}`}`}
      mark={state === null ? null : <DeviceMark state={state} isGone={device.goneAt !== null} />}
      what={device.id}
      isBehind={isOld}
    >
      {metric === null ? (
        <Heard device={device} />
      ) : (
        <>
          <Latest device={device} metric={metric} known={known} />{" "}
          {isOld && device.lastSeen !== null ? (
            <span className={pinned.age}>
              <Age time={device.lastSeen} />
            </span>
          ) : null}
        </>
      )}
    </PinnedRow>
  );
}

function Heard({ device }: { device: DeviceView }) {
  return device.lastSeen === null ? "never" : <Age time={device.lastSeen} isCalm />;
}

function Latest({ device, metric, known }: { device: DeviceView; metric: string; known: KnownMetrics }) {
  const meaning = known.get(metric);
  const name = meaning?.name ?? metric;
  const current = ownMember(device.values, name);
  if (!current) return "no value";
  const format = (value: number) => formatMetric(value, meaning?.decimals ?? null);
  return (
    <Quantity value={shownAs(current.value, meaning?.kind)} unit={unitOf(device, name, meaning)} format={format} />
  );
}

function PinnedAlerts({ view, rows, tools }: PinnedProps) {
  const shown = readView(new URLSearchParams(view.query));
  const { data, error } = useQuery(alertsQuery({ ...wantedOf(shown), limit: MOST_ALERTS }));
  return (
    <PinnedTile
      view={view}
      figure={
        data ? (
          <>
            <b>
              {formatTotal(data.items.length)}
              {data.next === null ? "" : "+"}
            </b>{" "}
            {data.items.length === 1 && data.next === null ? "alert" : "alerts"}
          </>
        ) : (
          "Alerts"
        )
      }
      trouble={troubleOf(error)}
      tools={tools}
    >
      {data ? (
        <PinnedRows isEmpty={data.items.length === 0} none="No alert matches.">
          {data.items.slice(0, rows).map(({ id, rule, device, site, subject, severity, endedAt, firedAt }) => (
            <PinnedRow
              key={id}
              href={`/alerts/${id}`}
              mark={endedAt === null ? <MarkShape mark={severity === "critical" ? "failing" : "warning"} /> : null}
              what={[rule.name, device ?? site ?? subject]
                .filter((part) => part !== null)
                .map(readable)
                .join(" · ")}
            >
              <Age time={endedAt ?? firedAt} isCalm />
            </PinnedRow>
          ))}
        </PinnedRows>
      ) : null}
    </PinnedTile>
  );
}

function PinnedEvents({ view, rows, tools }: PinnedProps) {
  const { zone } = useZone();
  const now = useNow(MINUTE_MS);
  const minute = Math.ceil(now / MINUTE_MS) * MINUTE_MS;
  const wanted = wantedEvents(new URLSearchParams(view.query), minute);
  const { data, error } = useQuery({ ...eventsQuery({ ...wanted, limit: rows }, PINNED_EVERY_MS), enabled: now > 0 });
  return (
    <PinnedTile view={view} trouble={troubleOf(error)} tools={tools}>
      {data ? (
        <PinnedRows isEmpty={data.items.length === 0} none="Nothing of this kind happened.">
          {data.items.map(({ id, sentence, severity, from, site }) => (
            <PinnedRow
              key={id}
              href={`/events?${new URLSearchParams([...new URLSearchParams(view.query), ["event", id]])}`}
              mark={severity === "info" ? null : <MarkShape mark={severity === "critical" ? "failing" : "warning"} />}
              what={readable(
                withZonedTimes(site === null || sentence.includes(site) ? sentence : `${sentence}, ${site}`, zone),
              )}
            >
              <Age time={from} isCalm />
            </PinnedRow>
          ))}
        </PinnedRows>
      ) : null}
    </PinnedTile>
  );
}
