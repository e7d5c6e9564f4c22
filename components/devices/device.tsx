"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useMemo } from "react";
import type { DeviceView } from "@/server/contracts/devices";
import { applyToDevice } from "../live/apply";
import { useLive, useRoom } from "../live/provider";
import { deviceQuery } from "../queries/devices";
import { metricsQuery } from "../queries/metrics";
import { adviceOn, RequestError } from "../queries/request";
import { Page } from "../shell/page";
import { Age } from "../ui/age";
import { Empty, Failure, Loading, StaleNotice } from "../ui/feedback";
import { formatTotal } from "../ui/format";
import { Section } from "../ui/section";
import { DeviceMark } from "../ui/state-mark";
import classes from "./device.module.css";
import { History } from "./history";
import { inMetricOrder } from "./metric-order";
import { Messages } from "./messages";
import { useAddress } from "./url";
import { Values } from "./values";

/** One device: what it says now, what it said before, and its messages as received. */
export function Device({ id }: { id: string }) {
  const live = useLive();
  const query = deviceQuery(live, id);
  const { data, error, refetch, isFetching } = useQuery(query);
  const metrics = useQuery(metricsQuery());
  useRoom(`device:${id}`, query.queryKey, applyToDevice);
  const units = useMemo(() => new Map(metrics.data?.items.map(({ name, unit }) => [name, unit])), [metrics.data]);
  const [address, change] = useAddress();

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
      <Page title={title}>
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
  const metric = address.get("metric") ?? firstMetric(data);
  return (
    <Page title={title}>
      {error ? (
        <StaleNotice onRetry={() => void refetch()}>This device may be out of date: {error.message}</StaleNotice>
      ) : null}
      <Facts device={data} />
      <Section title="Current values">
        <Values
          values={data.values}
          lastEventTime={data.lastEventTime}
          units={units}
          selected={metric}
          onSelect={(name) => change({ metric: name })}
        />
      </Section>
      {metric ? <History key={metric} device={data} metric={metric} address={address} change={change} /> : null}
      <Section title="Latest messages">
        <Messages id={id} />
      </Section>
    </Page>
  );
}

function Facts({ device }: { device: DeviceView }) {
  const { state, site, type, lastSeen, firstSeen, messages } = device;
  const facts = [
    ["State", <DeviceMark key="state" state={state} />],
    ["Last seen", lastSeen ? <Age key="seen" time={lastSeen} /> : "never"],
    ["Site", site ?? "not given"],
    ["Type", type ?? "not given"],
    [
      "Messages",
      <span key="messages" data-fact="messages">
        {formatTotal(messages)}
      </span>,
    ],
    ["First seen", <Age key="first" time={firstSeen} />],
  ] as const;
  return (
    <dl className={classes.facts}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What the chart shows until a metric is chosen: the first number, else the first boolean. */
function firstMetric({ values }: DeviceView): string | null {
  const names = inMetricOrder(Object.keys(values));
  const ofType = (type: string) => names.find((name) => typeof values[name]?.value === type);
  return ofType("number") ?? ofType("boolean") ?? null;
}
