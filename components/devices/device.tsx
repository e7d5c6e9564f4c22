"use client";
import { useQuery } from "@tanstack/react-query";
import { Button } from "@mantine/core";
import { useMemo, useState } from "react";
import type { DeviceDetail, DeviceView } from "@/server/contracts/devices";
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
import { Section } from "../ui/section";
import { DeviceMark, MarkShape } from "../ui/state-mark";
import { useZone } from "../ui/zone";
import classes from "./device.module.css";
import { fits } from "./chart-groups";
import { DeviceDeadLetters } from "./device-dead-letters";
import { History } from "./history";
import { type KnownMetrics, metricsByName, shownAs, unitOf } from "../ui/meaning";
import { inMetricOrder } from "../ui/metric-order";
import { Messages } from "./messages";
import { stretchAddress } from "./ranges";
import { Properties } from "./properties";
import { Units } from "./units";
import { useAddress } from "../ui/url";
import { Values } from "./values";
import { Link } from "../ui/link";

/** Lines a page draws at most. */
const MOST_METRICS = 12;

const reloadsOnGoodbye = (_: DeviceDetail, data: FrameData) => hasGoodbye(data);

/** One device: what it says now, what it said before, and its messages as received. */
export function Device({ id }: { id: string }) {
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
  const grouped = (metric: string) => {
    const found = known.get(metric);
    return { metric, unit: unitOf(data, metric, found), kind: found?.kind ?? "number" };
  };
  const ofDevice = inMetricOrder(Object.keys(data.values)).flatMap((name) => {
    const metric = known.get(name);
    return metric?.kind === "number" ? [metric] : [];
  });
  const show = (names: readonly string[]) => change({ metric: names.join(",") });
  return (
    <Page title={title} tab={id}>
      {error ? (
        <StaleNotice onRetry={() => void refetch()}>This device may be out of date: {error.message}</StaleNotice>
      ) : null}
      <FiringAt device={id} />
      <Facts device={data} known={known} />
      <Section
        title="Current values"
        aside={
          ofDevice.length > 0 && mayDeclare ? (
            <Button size="xs" variant="default" onClick={() => setSayingUnits(true)}>
              Units
            </Button>
          ) : null
        }
      >
        <Values
          device={data}
          known={known}
          selected={metrics}
          onSelect={(name) => show([name])}
          onToggle={(name) =>
            show(metrics.includes(name) ? metrics.filter((other) => other !== name) : [...metrics, name])
          }
          hasRoomFor={(name) => fits(metrics.map(grouped), grouped(name))}
        />
        {isSayingUnits ? <Units device={data} metrics={ofDevice} onClose={() => setSayingUnits(false)} /> : null}
      </Section>
      {metrics.length > 0 ? <History device={data} metrics={metrics} address={address} change={change} /> : null}
      <Properties device={data} />
      <DeviceDeadLetters id={id} site={data.site} />
      <Messages id={id} site={data.site} />
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

/** The metrics whose history is shown: those the address names, else the first number, else the first boolean. */
function shownMetrics(values: DeviceView["values"], asked: string | null): string[] {
  const isDrawn = (name: string) => Object.hasOwn(values, name) && typeof values[name]?.value !== "string";
  const named = [...new Set((asked ?? "").split(",").filter(isDrawn))];
  if (named.length > 0) return named.slice(0, MOST_METRICS);
  const names = inMetricOrder(Object.keys(values));
  const ofType = (type: string) => names.filter((name) => typeof values[name]?.value === type).slice(0, 1);
  const [number, flag] = [ofType("number"), ofType("boolean")];
  return number.length > 0 ? number : flag;
}
