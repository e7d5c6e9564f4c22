"use client";
import { AppShell, Burger } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useContext } from "react";
import { applyToHealth } from "../live/apply";
import { useLive, useRoom } from "../live/provider";
import { healthQuery } from "../queries/health";
import { MarkShape, probeMark } from "../ui/state-mark";
import { ConnectionState } from "./connection";
import { NavContext } from "./nav-context";
import { Preferences } from "./preferences";
import classes from "./shell.module.css";

/** A page: its title and the verdict on the whole in the header, its content below. */
export function Page({ title, children }: { title: ReactNode; children: ReactNode }) {
  const nav = useContext(NavContext);
  return (
    <>
      <AppShell.Header className={classes.header}>
        <Burger opened={nav.opened} onClick={nav.toggle} hiddenFrom="sm" size="sm" aria-label="Navigation" />
        <h1 className={classes.title}>{title}</h1>
        <div className={classes.verdictWide}>
          <Verdict />
        </div>
        <ConnectionState />
        <div className={classes.headerPreferences}>
          <Preferences />
        </div>
      </AppShell.Header>
      <AppShell.Main>
        <div className={classes.content} id="content">
          <div className={classes.verdictNarrow}>
            <Verdict />
          </div>
          {children}
        </div>
      </AppShell.Main>
    </>
  );
}

function Verdict() {
  const live = useLive();
  const query = healthQuery(live);
  const { data, error } = useQuery(query);
  useRoom("health", query.queryKey, applyToHealth);
  if (error) {
    return (
      <p className={classes.verdict} data-status="fail">
        <MarkShape mark="failing" />
        The server does not answer. What it has accepted is stored; values here may be old.
      </p>
    );
  }
  if (!data) return <p className={classes.verdict} />;
  return (
    <p className={classes.verdict} data-status={data.status} title={data.verdict}>
      <MarkShape mark={probeMark(data.status)} />
      <span>{data.verdict}</span>
    </p>
  );
}
