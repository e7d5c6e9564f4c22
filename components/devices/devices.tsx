"use client";
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { DevicesQuery, DeviceState } from "@/server/contracts/devices";
import { applyToDevices } from "../live/apply";
import { useLive, useRoom } from "../live/provider";
import { devicesQuery } from "../queries/devices";
import { metricsQuery } from "../queries/metrics";
import { adviceOn, RequestError } from "../queries/request";
import { Page } from "../shell/page";
import { Copyable, Empty, Failure, Loading, StaleNotice } from "../ui/feedback";
import { formatTotal } from "../ui/format";
import classes from "./devices.module.css";
import { Filters } from "./filters";
import { DeviceTable } from "./table";
import { useAddress } from "./url";

const LIMIT = 50;
const STATES: readonly string[] = ["live", "stale", "silent", "new"] satisfies DeviceState[];
const SORTS: readonly string[] = [
  "id",
  "-id",
  "lastSeen",
  "-lastSeen",
  "messages",
  "-messages",
] satisfies DevicesQuery["sort"][];

/** All devices, a page at a time; values change in place, rows stay where they are. */
export function Devices() {
  const live = useLive();
  const [address, change] = useAddress();
  const wanted = useMemo(() => readQuery(address), [address]);
  const query = devicesQuery(live, wanted);
  const { data, error, refetch, isFetching, isPlaceholderData } = useQuery(query);
  const metrics = useQuery(metricsQuery());
  useRoom("devices", query.queryKey, applyToDevices);
  const units = useMemo(() => new Map(metrics.data?.items.map(({ name, unit }) => [name, unit])), [metrics.data]);

  const isFiltered = Boolean(wanted.search || wanted.site || wanted.state);
  const clear = () => change({ search: null, site: null, state: null, cursor: null });
  return (
    <Page title="Devices">
      <div className={classes.page}>
        <Filters
          search={wanted.search ?? ""}
          site={wanted.site ?? null}
          state={wanted.state ?? null}
          sites={data?.sites ?? []}
          onChange={(changes) => change({ ...changes, cursor: null })}
        />
        {error && data ? (
          <StaleNotice onRetry={() => void refetch()}>These devices may be out of date: {error.message}</StaleNotice>
        ) : null}
        {!data && error ? (
          <Failure
            what="The devices could not be loaded"
            why={error.message}
            advice={
              error instanceof RequestError && error.status === 400
                ? "The address asks for something there isn't; clear the filters."
                : adviceOn(error)
            }
            onRetry={() => (error instanceof RequestError && error.status === 400 ? clear() : void refetch())}
            retrying={isFetching}
          />
        ) : null}
        {!data && !error ? <Loading rows={12} height={22} label="Loading devices" /> : null}
        {data && data.items.length === 0 ? (
          isFiltered || wanted.cursor ? (
            <Empty
              action={
                <Button size="xs" variant="default" onClick={clear}>
                  Clear the filters
                </Button>
              }
            >
              No device matches.
            </Empty>
          ) : (
            <Empty action={<Copyable text={`npm run replay -- recording.ndjson`} label="Copy the command" />}>
              No device has reported yet. Start the demo fleet with DEMO_DEVICES=50, or replay a recording:
            </Empty>
          )
        ) : null}
        {data && data.items.length > 0 ? (
          <>
            <DeviceTable
              items={data.items}
              units={units}
              sort={wanted.sort ?? "id"}
              dimmed={isPlaceholderData}
              onSort={(sort) => change({ sort: sort === "id" ? null : sort, cursor: null })}
            />
            <div className={classes.pager}>
              <span>
                {formatTotal(data.total)} {data.total === 1 ? "device" : "devices"}
                {isFiltered ? " match" : ""}
                {data.total > data.items.length ? `, ${data.items.length} on this page` : ""}
              </span>
              {wanted.cursor ? (
                <Button size="xs" variant="default" onClick={() => change({ cursor: null }, "push")}>
                  First page
                </Button>
              ) : null}
              {data.next ? (
                <Button size="xs" variant="default" onClick={() => change({ cursor: data.next }, "push")}>
                  Next page
                </Button>
              ) : null}
            </div>
          </>
        ) : null}
      </div>
    </Page>
  );
}

function readQuery(address: URLSearchParams): Partial<DevicesQuery> {
  const [search, site, cursor] = [address.get("search"), address.get("site"), address.get("cursor")];
  const [state, sort] = [address.get("state"), address.get("sort")];
  return {
    limit: LIMIT,
    ...(search ? { search } : {}),
    ...(site ? { site } : {}),
    ...(cursor ? { cursor } : {}),
    ...(state && STATES.includes(state) ? { state: state as DeviceState } : {}),
    ...(sort && SORTS.includes(sort) ? { sort: sort as DevicesQuery["sort"] } : {}),
  };
}
