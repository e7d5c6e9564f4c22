"use client";
import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { useState } from "react";
import type { ChannelView, RouteView } from "@/server/contracts/notifications";
import { useMayEverywhere } from "../queries/access";
import { channelsQuery, routesQuery } from "../queries/notifications";
import { AlertPages } from "../shell/alert-pages";
import { NotYet } from "../shell/not-yet";
import { OfAllSites } from "../shell/of-all-sites";
import { Page } from "../shell/page";
import { useNow } from "../ui/clock";
import { StaleNotice } from "../ui/feedback";
import { MarkShape } from "../ui/state-mark";
import { ChannelTable } from "./channel-table";
import classes from "./notifications.module.css";
import { RemoveChannel } from "./remove";
import { Routes } from "./routes";
import { TestDialog } from "./test-dialog";
import { Tester } from "./tester";
import { channelsVerdict } from "./words";

const ChannelDialog = dynamic(() => import("./channel-dialog").then((dialog) => dialog.ChannelDialog), { ssr: false });

/** Where people and programs are told of alerts, and who is told of which. */
export function Channels() {
  return (
    <OfAllSites title="Channels and routes" what="Seeing channels and routes">
      <Page title="Channels and routes">
        <AlertPages />
        <Whole />
      </Page>
    </OfAllSites>
  );
}

function Whole() {
  const channels = useQuery(channelsQuery());
  const routes = useQuery(routesQuery());
  const error = channels.error ?? routes.error;
  const retry = () => {
    void channels.refetch();
    void routes.refetch();
  };
  if (!channels.data || !routes.data)
    return (
      <NotYet
        what="channels and routes"
        error={error}
        onRetry={retry}
        isRetrying={channels.isFetching || routes.isFetching}
        rows={6}
        height={36}
      />
    );
  return (
    <>
      {error ? <StaleNotice onRetry={retry}>This may be out of date: {error.message}</StaleNotice> : null}
      <Loaded channels={channels.data} routes={routes.data} />
    </>
  );
}

type Opened = { readonly what: "make" } | { readonly what: "change" | "test" | "made" | "remove"; readonly id: number };

function Loaded({ channels, routes }: { channels: readonly ChannelView[]; routes: readonly RouteView[] }) {
  const mayEdit = useMayEverywhere("edit");
  const [opened, setOpened] = useState<Opened | null>(null);
  const now = useNow(5000);
  const { mark, text } = channelsVerdict(channels, routes, now);
  const one = opened !== null && opened.what !== "make" ? channels.find(({ id }) => id === opened.id) : undefined;
  const close = () => setOpened(null);
  return (
    <>
      {channels.length === 0 ? null : (
        <p className={classes.verdict} role="status" data-mark={mark}>
          <MarkShape mark={mark} />
          {text}
        </p>
      )}
      <ChannelTable
        channels={channels}
        mayEdit={mayEdit}
        onMake={() => setOpened({ what: "make" })}
        onTest={(id) => setOpened({ what: "test", id })}
        onChange={(id) => setOpened({ what: "change", id })}
        onRemove={(id) => setOpened({ what: "remove", id })}
      />
      {channels.length === 0 ? null : <Routes routes={routes} channels={channels} mayEdit={mayEdit} />}
      {routes.length === 0 ? null : <Tester />}
      {opened?.what === "make" ? (
        <ChannelDialog
          channel={null}
          others={channels}
          onSaved={({ id }) => setOpened({ what: "made", id })}
          onClose={close}
        />
      ) : null}
      {one && opened?.what === "change" ? (
        <ChannelDialog key={one.id} channel={one} others={channels} onSaved={close} onClose={close} />
      ) : null}
      {one && (opened?.what === "test" || opened?.what === "made") ? (
        <TestDialog channel={one} isNew={opened.what === "made"} onClose={close} />
      ) : null}
      {one && opened?.what === "remove" ? (
        <RemoveChannel
          channel={one}
          routes={routes.filter((route) => [...route.channels, ...(route.escalate?.channels ?? [])].includes(one.id))}
          onClose={close}
        />
      ) : null}
    </>
  );
}
