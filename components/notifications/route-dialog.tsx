"use client";
import { Checkbox, MultiSelect, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { ChannelView, RouteView } from "@/server/contracts/notifications";
import type { Matcher } from "@/server/domain/notifications/matcher";
import { changeRoute, makeRoute, NOTIFICATIONS } from "../queries/notifications";
import { FormDialog } from "../shell/form-dialog";
import { DurationSelect, ESCALATIONS, INTERVALS, REPEATS, WAITS } from "./durations";
import { areWhole, Matchers } from "./matchers";
import classes from "./notifications.module.css";
import { coveredWords, routeWords } from "./words";

interface RouteDialogProps {
  /** Null: a new one. */
  route: RouteView | null;
  channels: readonly ChannelView[];
  onClose: () => void;
}

const USUAL: Omit<RouteView, "id" | "place" | "revision"> = {
  ...{ name: "", enabled: true, matchers: [], channels: [], groupBy: ["rule", "site"] },
  ...{ waitMs: 30_000, intervalMs: 300_000, repeatMs: 14_400_000, resolved: true, late: true, escalate: null },
};

type GroupBy = RouteView["groupBy"][number];

/** Makes a route or changes one; what it will do is said as a sentence while it is filled in. */
export function RouteDialog({ route, channels, onClose }: RouteDialogProps) {
  const queries = useQueryClient();
  const {
    id: _id,
    place: _place,
    revision: _revision,
    ...before
  } = { id: 0, place: 0, revision: 0, ...USUAL, ...route };
  const [said, setSaid] = useState(before);
  const say = (parts: Partial<typeof said>) => setSaid({ ...said, ...parts });
  // What it is of names it well enough; somebody may call it something else.
  const name = said.name.trim() || coveredWords(said.matchers.filter((one) => areWhole([one])));
  const save = useMutation({
    mutationFn: () =>
      route === null
        ? makeRoute({ ...said, name })
        : changeRoute(route.id, { ...said, name, revision: route.revision }),
    onSuccess: onClose,
    onSettled: () => queries.invalidateQueries({ queryKey: [NOTIFICATIONS] }),
  });
  const data = channels.map((one) => ({ value: String(one.id), label: one.enabled ? one.name : `${one.name} (off)` }));
  const nameOf = (id: number) => channels.find((one) => one.id === id)?.name ?? `channel ${id}`;
  const isReady =
    said.channels.length > 0 &&
    areWhole(said.matchers) &&
    (said.escalate === null || said.escalate.channels.length > 0);
  const { of, then } = routeWords({ ...said, matchers: said.matchers.filter((one) => areWhole([one])) }, nameOf);
  return (
    <FormDialog
      title={route ? `Change ${route.name}` : "Add a route"}
      act={route ? "Save the route" : "Add the route"}
      failed={route ? "Nothing was changed" : "No route was added"}
      isReady={isReady}
      isSending={save.isPending}
      error={save.error}
      onSubmit={() => save.mutate()}
      onClose={onClose}
    >
      <Matchers
        label="Alerts"
        none="Every alert that no route before it takes."
        matchers={said.matchers}
        onChange={(matchers: Matcher[]) => say({ matchers })}
      />
      <MultiSelect
        label="Go to"
        placeholder={said.channels.length === 0 ? "a channel" : ""}
        data={data}
        value={said.channels.map(String)}
        onChange={(values) => say({ channels: values.map(Number) })}
        maxValues={20}
      />
      <MultiSelect
        label="Told together by"
        placeholder={said.groupBy.length === 0 ? "nothing: all in one message" : ""}
        data={["rule", "severity", "site", "type", "device", "metric"] satisfies GroupBy[]}
        value={said.groupBy}
        onChange={(values) => say({ groupBy: values as GroupBy[] })}
      />
      <div className={classes.pair}>
        <DurationSelect
          label="First told after"
          ms={said.waitMs}
          choices={WAITS}
          onChange={(ms) => say({ waitMs: ms ?? 0 })}
        />
        <DurationSelect
          label="News at most every"
          ms={said.intervalMs}
          choices={INTERVALS}
          zero="as it comes"
          onChange={(ms) => say({ intervalMs: ms ?? 0 })}
        />
        <DurationSelect
          label="Repeated every"
          ms={said.repeatMs}
          choices={REPEATS}
          never="never again"
          onChange={(repeatMs) => say({ repeatMs })}
        />
        <DurationSelect
          label="Others told after"
          ms={said.escalate?.afterMs ?? null}
          choices={ESCALATIONS}
          never="nobody else"
          onChange={(afterMs) =>
            say({ escalate: afterMs === null ? null : { channels: [], ...said.escalate, afterMs } })
          }
        />
      </div>
      {said.escalate ? (
        <MultiSelect
          label="Also told when nobody acknowledges"
          data={data}
          value={said.escalate.channels.map(String)}
          onChange={(values) => say({ escalate: { ...said.escalate!, channels: values.map(Number) } })}
          maxValues={20}
        />
      ) : null}
      <Checkbox
        label="Tell when alerts are over"
        checked={said.resolved}
        onChange={(event) => say({ resolved: event.currentTarget.checked })}
      />
      <Checkbox
        label="Tell of episodes that come to light later"
        checked={said.late}
        onChange={(event) => say({ late: event.currentTarget.checked })}
      />
      {route ? (
        <Checkbox
          label="On"
          checked={said.enabled}
          onChange={(event) => say({ enabled: event.currentTarget.checked })}
        />
      ) : null}
      <TextInput
        label="Name"
        placeholder={name}
        value={said.name}
        onChange={(event) => say({ name: event.currentTarget.value })}
        maxLength={100}
        autoComplete="off"
      />
      <p role="status" className={classes.told}>
        <b>{of}</b> → {then}
        {route ? "" : ". It comes after all other routes."}
      </p>
    </FormDialog>
  );
}
