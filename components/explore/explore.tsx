"use client";
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { useMemo } from "react";
import { readable } from "@/server/domain/readable";
import { useMay } from "../queries/access";
import { exploreCsv, exploreQuery, readExplore } from "../queries/explore";
import { adviceOn, RequestError, saidOf } from "../queries/request";
import { Page } from "../shell/page";
import { useNow } from "../ui/clock";
import { Empty, Failure, Loading, StaleNotice } from "../ui/feedback";
import { zoneName } from "../ui/format";
import { rangeOf, RANGES, stretchIn } from "../ui/ranges";
import { RangeTools } from "../ui/range-tools";
import { useAddress } from "../ui/url";
import { useZoom } from "../ui/use-zoom";
import { useZone } from "../ui/zone";
import { SavedViews } from "../views/saved-views";
import classes from "./explore.module.css";
import { Pick } from "./pick";
import { Previous } from "./previous";

const FirstChoice = dynamic(() => import("./first-choice").then((choice) => choice.FirstChoice), { ssr: false });
const Shown = dynamic(() => import("./shown").then((shown) => shown.Shown), { ssr: false });

/** Ranges have an end here: all there is would be decades for one device whose clock was wrong. */
const OFFERED = RANGES.filter(({ ms }) => ms !== null);
const LONGEST = OFFERED.at(-1)!;

/** One metric of many devices, sites or types side by side, over any stretch of time. All of what is shown is in the address. */
export function Explore() {
  const { zone } = useZone();
  const [address, change] = useAddress();
  const text = address.toString();
  const wanted = useMemo(() => readExplore(new URLSearchParams(text)), [text]);
  const minute = useNow(60_000);
  const stretch = useMemo(() => stretchIn(address, minute, zoneName(zone)), [address, minute, zone]);
  const typed = rangeOf(address.get("range"));
  const range = typed.ms === null ? LONGEST : typed;
  const { data, error, refetch, isFetching, isPlaceholderData } = useQuery(
    exploreQuery(wanted, stretch ?? { spanMs: range.ms! }),
  );
  const [zoom, zoomOut] = useZoom(address, change);
  const mayDownload = useMay("view-messages");
  const now = minute || 1;
  const shown = stretch ?? { from: now - range.ms!, to: now };
  const isUnknown = error instanceof RequestError && error.status === 404;
  const isRefused = isUnknown || (error instanceof RequestError && error.status === 400);
  return (
    <Page title="Explore">
      <SavedViews page="explore" />
      <Pick wanted={wanted} answer={data?.answer} change={change} />
      {wanted.metric === null ? (
        <FirstChoice onChoose={(metric) => change({ metric }, "push")} />
      ) : (
        <>
          <div className={classes.tools}>
            <RangeTools
              from={data && !isPlaceholderData ? data.from : shown.from}
              to={data && !isPlaceholderData ? data.to : shown.to}
              range={stretch ? null : range}
              isLive={stretch === null || stretch.to > now}
              offered={OFFERED}
              onZoomOut={zoomOut}
              {...{ zone, address, change }}
            />
            <Previous wanted={wanted} change={change} />
            {mayDownload && data ? (
              <Button
                size="xs"
                variant="default"
                component="a"
                href={exploreCsv(wanted, data)}
                download
                title="Every step of every series shown"
              >
                Download CSV
              </Button>
            ) : null}
          </div>
          {isUnknown ? (
            <Empty
              action={
                <Button size="xs" variant="default" onClick={() => change({ metric: null }, "push")}>
                  Choose another metric
                </Button>
              }
            >
              No device has sent a metric called {readable(wanted.metric)} yet.
            </Empty>
          ) : error && (!data || isRefused) ? (
            <Failure
              what={`${wanted.metric} can’t be shown`}
              why={saidOf(error)}
              advice={isRefused ? "Narrow the devices down." : adviceOn(error)}
              {...(isRefused ? {} : { onRetry: () => void refetch(), retrying: isFetching })}
            />
          ) : null}
          {error && data && !isRefused ? (
            <StaleNotice onRetry={() => void refetch()}>This may be out of date: {error.message}</StaleNotice>
          ) : null}
          {!data && !error ? <Loading rows={7} height={48} label="Loading the series" /> : null}
          {data && !isRefused ? (
            <Shown
              {...{ data, wanted, address, change, zone, zoom, zoomOut }}
              isStale={isPlaceholderData}
              isLive={stretch === null}
            />
          ) : null}
        </>
      )}
    </Page>
  );
}
