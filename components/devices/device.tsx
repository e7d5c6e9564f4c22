"use client";
import { useQuery } from "@tanstack/react-query";
import { Button, Tabs } from "@mantine/core";
import { type ReactNode, useMemo, useState } from "react";
import type { DeviceDetail } from "@/server/contracts/devices";
import type { FrameData } from "@/server/contracts/live";
import { toSegment } from "@/server/domain/segment";
import { readable } from "@/server/domain/readable";
import { hasGoodbye } from "../live/apply";
import { useLive, useRoom } from "../live/provider";
import { useMay } from "../queries/access";
import { applyToDetail, deviceQuery } from "../queries/device";
import { metricsQuery } from "../queries/metrics";
import { adviceOn, RequestError } from "../queries/request";
import { FiringAt } from "../shell/firing";
import { Page } from "../shell/page";
import { Age } from "../ui/age";
import { Empty, Failure, Loading, StaleNotice } from "../ui/feedback";
import { formatExact, formatInstant, formatTotal } from "../ui/format";
import { DeviceMark, MarkShape } from "../ui/state-mark";
import { useZone } from "../ui/zone";
import classes from "./device.module.css";
import { DeviceDeadLetters } from "./device-dead-letters";
import { History } from "./history";
import { type KnownMetrics, metricsByName, shownAs, unitOf } from "../ui/meaning";
import { inMetricOrder } from "../ui/metric-order";
import { Messages } from "./messages";
import { stretchAddress } from "../ui/ranges";
import { Properties } from "./properties";
import { Units } from "./units";
import { useAddress } from "../ui/url";
import { Availability } from "./availability";
import { shownMetrics } from "./shown-metrics";
import { Link } from "../ui/link";

const reloadsOnGoodbye = (_: DeviceDetail, data: FrameData) => hasGoodbye(data);

/** One device: what it says now, what it said before, and its messages as received. */
export function Device({ id, quality }: { id: string; quality: ReactNode }) {
  const live = useLive();
  const query = deviceQuery(live, id);
  const { data, error, refetch, isFetching } = useQuery(query);
  const metricList = useQuery(metricsQuery());
  const mayDeclare = useMay("declare", data?.site ?? null);
  const [isSayingUnits, setSayingUnits] = useState(false);
  useRoom(`device:${id}`, query.queryKey, applyToDetail, { mustReload: reloadsOnGoodbye });
  const known = useMemo(() => metricsByName(metricList.data?.items), [metricList.data]);
  const [address, change] = useAddress();
  const chosen = data ? shownMetrics(data.values, address.get("metric")).join() : "";
  const metrics = useMemo(() => chosen.split(",").filter(Boolean), [chosen]);

  const title = (
    <>
      <Link href="/devices">Devices</Link>
      <span aria-hidden="true">/</span>
      {id}
    </>
  );
  if (!data) {
    const isMissing = error instanceof RequestError && error.status === 404;
    return (
      <Page title={title} tab={id}>
        {isMissing ? (
          <Empty action={<Link href="/devices">See all devices</Link>}>No device named {id} has reported.</Empty>
        ) : error ? (
          <Failure
            what={`${id} could not be loaded`}
            why={error.message}
            advice={adviceOn(error)}
            onRetry={() => void refetch()}
            retrying={isFetching}
          />
        ) : (
          <Loading rows={4} height={56} label="Loading the device" />
        )}
      </Page>
    );
  }
  const ofDevice = inMetricOrder(Object.keys(data.values)).flatMap((name) => {
    const metric = known.get(name);
    return metric?.kind === "number" ? [metric] : [];
  });
  const tab = address.get("tab") === "messages" ? "messages" : "values";
  return (
    <Page title={title} tab={id}>
      {error ? (
        <StaleNotice onRetry={() => void refetch()}>This device may be out of date: {error.message}</StaleNotice>
      ) : null}
      <FiringAt device={id} />
      <Facts device={data} known={known} />
      <Availability id={id} firstSeen={data.firstSeen} />
      <Tabs
        value={tab}
        onChange={(next) => change({ tab: next === "messages" ? next : null }, "push")}
        keepMounted={false}
      >
        <Tabs.List>
          <Tabs.Tab value="values">Values</Tabs.Tab>
          <Tabs.Tab value="messages">Messages</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="values" className={classes.panel}>
          <History
            {...{ device: data, known, metrics, address, change }}
            aside={
              ofDevice.length > 0 && mayDeclare ? (
                <Button size="xs" variant="default" onClick={() => setSayingUnits(true)}>
                  Units
                </Button>
              ) : null
            }
          />
          {isSayingUnits ? <Units device={data} metrics={ofDevice} onClose={() => setSayingUnits(false)} /> : null}
          {quality}
          <Properties device={data} />
          <DeviceDeadLetters id={id} site={data.site} />
        </Tabs.Panel>
        <Tabs.Panel value="messages" className={classes.panel}>
          <Messages id={id} site={data.site} />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

function Facts({ device, known }: { device: DeviceDetail; known: KnownMetrics }) {
  const { state, goneAt, site, type, lastSeen, firstSeen, messages, conflicts } = device;
  const facts = [
    ["State", <DeviceMark key="state" state={state} isGone={goneAt !== null} />],
    ...(goneAt === null ? [] : [["Said goodbye", <Age key="gone" time={goneAt} />] as const]),
    ["Last seen", lastSeen ? <Age key="seen" time={lastSeen} /> : "never"],
    ["Site", site === null ? "not given" : readable(site)],
    ["Type", type === null ? "not given" : readable(type)],
    [
      "Messages",
      <span key="messages" data-fact="messages">
        {formatTotal(messages)}
      </span>,
    ],
    ["First seen", <Age key="first" time={firstSeen} />],
  ] as const;
  return (
    <>
      <dl className={classes.facts}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        {conflicts > 0 ? (
          <div>
            <dt>Conflicts</dt>
            <dd data-fact="conflicts">{formatTotal(conflicts)}</dd>
          </div>
        ) : null}
      </dl>
      <LastConflict device={device} known={known} />
      <ClockFault device={device} />
    </>
  );
}

/** Readings of when the device's clock was not set, and the way to them: "All" leaves them out. */
function ClockFault({ device: { id, clockFault } }: { device: DeviceDetail }) {
  if (clockFault === null) return null;
  const { from, to, readings } = clockFault;
  const stretch = { from: Date.parse(from), to: Date.parse(to) };
  const [first, last] = [stretch.from, stretch.to - 1].map((time) => new Date(time).getUTCFullYear());
  const years = first === last ? `from ${first}` : `from ${first} to ${last}`;
  const address = new URLSearchParams({ ...stretchAddress(stretch), view: "table" });
  return (
    <p className={classes.conflict} data-fact="clock-fault">
      <MarkShape mark="warning" />
      <span>
        {readings === 1 ? "1 reading" : `${formatTotal(readings)} readings`} {years}, years before all others: the
        device&apos;s clock was not set. All leaves them out.{" "}
        <Link href={`/devices/${toSegment(id)}?${address.toString()}`}>Show them</Link>
      </span>
    </p>
  );
}

/** Shows the device's last conflict, and which of the two values stays. */
function LastConflict({ device, known }: { device: DeviceDetail; known: KnownMetrics }) {
  const { zone } = useZone();
  const { conflicts, lastConflict } = device;
  if (conflicts === 0 || lastConflict === null) return null;
  const { metric, time, kept, refused } = lastConflict;
  const found = known.get(metric);
  const unit = unitOf(device, metric, found);
  const words = (number: number) => {
    const value = shownAs(number, found?.kind);
    return typeof value === "number" ? [formatExact(value), unit].filter(Boolean).join(" ") : String(value);
  };
  return (
    <p className={classes.conflict}>
      <MarkShape mark="warning" />
      <span>
        {conflicts === 1 ? "A reading" : `${formatTotal(conflicts)} readings`} came with another value than the one
        stored at the same millisecond; the first value stays. Last: {metric} at {formatInstant(Date.parse(time), zone)}{" "}
        is {words(kept)}, {words(refused)} was refused.
      </span>
    </p>
  );
}
