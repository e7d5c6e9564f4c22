"use client";
import { useQuery } from "@tanstack/react-query";
import { Button, Tabs } from "@mantine/core";
import dynamic from "next/dynamic";
import { type ReactNode, useMemo, useState } from "react";
import type { DeviceDetail } from "@/server/contracts/devices";
import type { FrameData } from "@/server/contracts/live";
import { hasGoodbye } from "../live/apply";
import { useLive, useRoom } from "../live/provider";
import { useMay } from "../queries/access";
import { applyToDetail, describedDeviceQuery, deviceQuery } from "../queries/device";
import { metricsQuery } from "../queries/metrics";
import { RequestError } from "../queries/request";
import { FiringAt } from "../shell/firing";
import { NotYet } from "../shell/not-yet";
import { Page } from "../shell/page";
import { Empty, StaleNotice } from "../ui/feedback";
import classes from "./device.module.css";
import { DeviceFacts } from "./device-facts";
import { History } from "./history";
import { type KnownMetrics, metricsByName } from "../ui/meaning";
import { inMetricOrder } from "../ui/metric-order";
import { Properties } from "./properties";
import { useAddress } from "../ui/url";
import { Availability } from "./availability";
import { openTexts, shownMetrics } from "./shown-metrics";
import { Link } from "../ui/link";

const DeviceDeadLetters = dynamic(() => import("./device-dead-letters").then((list) => list.DeviceDeadLetters), {
  ssr: false,
});
const Messages = dynamic(() => import("./messages").then((messages) => messages.Messages), { ssr: false });
const Units = dynamic(() => import("./units").then((units) => units.Units), { ssr: false });

const reloadsOnGoodbye = (_: DeviceDetail, data: FrameData) => hasGoodbye(data);

/**
 * One device: what it says now, what it said before, and its messages as received. With each frame only those parts are
 * drawn again that show what frames change.
 */
export function Device({ id, quality }: { id: string; quality: ReactNode }) {
  const live = useLive();
  const query = deviceQuery(live, id);
  const { data: device, error, refetch, isFetching } = useQuery(describedDeviceQuery(live, id));
  const metricList = useQuery(metricsQuery());
  useRoom(`device:${id}`, query.queryKey, applyToDetail, { mustReload: reloadsOnGoodbye });
  const known = useMemo(() => metricsByName(metricList.data?.items), [metricList.data]);
  const [address, change] = useAddress();

  const title = (
    <>
      <Link href="/devices">Devices</Link>
      <span aria-hidden="true">/</span>
      {id}
    </>
  );
  if (!device) {
    const isMissing = error instanceof RequestError && error.status === 404;
    return (
      <Page title={title} tab={id}>
        {isMissing ? (
          <Empty action={<Link href="/devices">See all devices</Link>}>No device named {id} has reported.</Empty>
        ) : (
          <NotYet
            what={`the device ${id}`}
            error={error}
            onRetry={() => void refetch()}
            isRetrying={isFetching}
            rows={4}
            height={56}
          />
        )}
      </Page>
    );
  }
  const tab = address.get("tab") === "messages" ? "messages" : "values";
  return (
    <Page title={title} tab={id}>
      {error ? (
        <StaleNotice onRetry={() => void refetch()}>This device may be out of date: {error.message}</StaleNotice>
      ) : null}
      <FiringAt device={id} />
      <DeviceFacts id={id} known={known} />
      <Availability id={id} firstSeen={device.firstSeen} />
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
          <Values id={id} known={known} />
          {quality}
          <Properties device={device} />
          <DeviceDeadLetters id={id} site={device.site} />
        </Tabs.Panel>
        <Tabs.Panel value="messages" className={classes.panel}>
          <Messages id={id} site={device.site} />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

/** The device's values now and over time, and their units. */
function Values({ id, known }: { id: string; known: KnownMetrics }) {
  const { data: device } = useQuery(deviceQuery(useLive(), id));
  const mayDeclare = useMay("declare", device?.site ?? null);
  const [isSayingUnits, setSayingUnits] = useState(false);
  const [address, change] = useAddress();
  const chosen = device ? shownMetrics(device.values, address.get("metric")).join() : "";
  const metrics = useMemo(() => chosen.split(",").filter(Boolean), [chosen]);
  const worded = device ? openTexts(device.values, address.get("metric")).join() : "";
  const texts = useMemo(() => worded.split(",").filter(Boolean), [worded]);
  const names = device ? inMetricOrder(Object.keys(device.values)).join() : "";
  const numbers = useMemo(
    () =>
      names.split(",").flatMap((name) => {
        const metric = known.get(name);
        return metric?.kind === "number" ? [metric] : [];
      }),
    [names, known],
  );
  const mayName = numbers.length > 0 && mayDeclare;
  const aside = useMemo(
    () =>
      mayName ? (
        <Button size="xs" variant="default" onClick={() => setSayingUnits(true)}>
          Units
        </Button>
      ) : null,
    [mayName],
  );
  if (!device) return null;
  return (
    <>
      <History {...{ device, known, metrics, texts, address, change, aside }} />
      {isSayingUnits ? <Units device={device} metrics={numbers} onClose={() => setSayingUnits(false)} /> : null}
    </>
  );
}
