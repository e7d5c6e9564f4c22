"use client";
import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { useState } from "react";
import type { ChannelView, RouteView } from "@/server/contracts/notifications";
import { changeRoute, NOTIFICATIONS } from "../queries/notifications";
import { saidOf } from "../queries/request";
import { Empty, Failure } from "../ui/feedback";
import { Section } from "../ui/section";
import { Spoken } from "../ui/spoken";
import classes from "./notifications.module.css";
import { RemoveRoute } from "./remove";
import { routeWords } from "./words";

const RouteDialog = dynamic(() => import("./route-dialog").then((dialog) => dialog.RouteDialog), { ssr: false });

interface RoutesProps {
  routes: readonly RouteView[];
  channels: readonly ChannelView[];
  mayEdit: boolean;
}

/** Who is told of which alerts: a sentence each, in order. */
export function Routes({ routes, channels, mayEdit }: RoutesProps) {
  const queries = useQueryClient();
  const [changed, setChanged] = useState<RouteView | "new" | null>(null);
  const [removed, setRemoved] = useState<RouteView | null>(null);
  const move = useMutation({
    mutationFn: ({ route, place }: { route: RouteView; place: number }) =>
      changeRoute(route.id, { revision: route.revision, place }),
    onSettled: () => queries.invalidateQueries({ queryKey: [NOTIFICATIONS] }),
  });
  const nameOf = (id: number) => channels.find((channel) => channel.id === id)?.name ?? `channel ${id}`;
  const add = mayEdit ? (
    <Button size="compact-sm" variant={routes.length === 0 ? "filled" : "default"} onClick={() => setChanged("new")}>
      Add a route…
    </Button>
  ) : null;
  return (
    <Section title="Routes" aside={routes.length === 0 ? null : add}>
      {routes.length === 0 ? (
        <Empty action={add}>No route yet, so nobody is told. A route says which alerts go to which channels.</Empty>
      ) : (
        <>
          <p className={classes.about}>The first that matches takes an alert; the ones after it don’t see it.</p>
          {move.error ? (
            <Failure what="The route was not moved" why={saidOf(move.error)} advice="The order is as it was." />
          ) : null}
          <ol className={classes.routes} aria-label="Routes">
            {routes.map((route, i) => {
              const { of, then } = routeWords(route, nameOf);
              return (
                <li key={route.id} data-route={route.name} data-off={!route.enabled || undefined}>
                  <span className={classes.place}>{i + 1}</span>
                  <div className={classes.sentence}>
                    <p>
                      <b>{of}</b> <span aria-hidden="true">→</span>
                      <Spoken> go to </Spoken> {then}
                    </p>
                    <small>
                      {route.name}
                      {route.enabled ? "" : ", off"}
                    </small>
                  </div>
                  {mayEdit ? (
                    <div className={classes.rowActions}>
                      <Move
                        way="up"
                        name={route.name}
                        isPossible={i > 0 && !move.isPending}
                        onMove={() => move.mutate({ route, place: i })}
                      />
                      <Move
                        way="down"
                        name={route.name}
                        isPossible={i < routes.length - 1 && !move.isPending}
                        onMove={() => move.mutate({ route, place: i + 2 })}
                      />
                      <Button
                        size="compact-xs"
                        variant="default"
                        onClick={() => setChanged(route)}
                        aria-label={`Change ${route.name}`}
                      >
                        Change…
                      </Button>
                      <Button
                        size="compact-xs"
                        variant="subtle"
                        onClick={() => setRemoved(route)}
                        aria-label={`Remove ${route.name}`}
                      >
                        Remove…
                      </Button>
                    </div>
                  ) : null}
                </li>
              );
            })}
          </ol>
        </>
      )}
      {changed ? (
        <RouteDialog route={changed === "new" ? null : changed} channels={channels} onClose={() => setChanged(null)} />
      ) : null}
      {removed ? <RemoveRoute route={removed} onClose={() => setRemoved(null)} /> : null}
    </Section>
  );
}

interface MoveProps {
  way: "up" | "down";
  name: string;
  isPossible: boolean;
  onMove: () => void;
}

/** Moves a route by one; it keeps the focus, so that it can be moved on. */
function Move({ way, name, isPossible, onMove }: MoveProps) {
  return (
    <Button
      size="compact-xs"
      variant="default"
      aria-label={`Move ${name} ${way}`}
      title={`Move ${way}`}
      aria-disabled={!isPossible}
      data-disabled={!isPossible}
      onClick={() => {
        if (isPossible) onMove();
      }}
    >
      {way === "up" ? "↑" : "↓"}
    </Button>
  );
}
