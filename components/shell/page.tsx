"use client";
import { AppShell, Burger } from "@mantine/core";
import { type ReactNode, useContext, useEffect, useRef } from "react";
import { ConnectionState, useIsStale } from "./connection";
import { Printed } from "./printed";
import { Preferences } from "./preferences";
import { SearchButton } from "./search-button";
import { ShellContext } from "./shell-context";
import classes from "./shell.module.css";
import { tabTitle, useTabTitle } from "./tab-title";
import { useTrouble, Verdict } from "./verdict";

interface PageProps {
  title: ReactNode;
  /** Its name in the browser's tab; the title unless given. */
  tab?: string;
  /** False for a page that shows the verdict itself. */
  withVerdict?: boolean;
  /** True for a page that is about what fires: the verdict doesn't say that again. */
  isOfAlerts?: boolean;
  children: ReactNode;
}

/** A page: its title and the verdict on the whole in the header, its content below. */
export function Page({ title, tab, withVerdict = true, isOfAlerts = false, children }: PageProps) {
  const { opened, toggle, arrive } = useContext(ShellContext);
  const heading = useRef<HTMLHeadingElement>(null);
  const { failing, hasAnswer } = useTrouble();
  const isStale = useIsStale();
  useTabTitle(tabTitle(tab ?? (typeof title === "string" ? title : "Fieldwatch"), failing, hasAnswer));
  // After going to another page, reading and Tab begin at its heading.
  useEffect(() => {
    if (arrive()) heading.current?.focus({ preventScroll: true });
  }, [arrive]);
  return (
    <>
      <AppShell.Header className={classes.header}>
        <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Navigation" />
        <h1 className={classes.title} ref={heading} tabIndex={-1}>
          {title}
        </h1>
        <div className={classes.verdictWide}>{withVerdict ? <Verdict withFiring={!isOfAlerts} /> : null}</div>
        <SearchButton />
        <ConnectionState />
        <div className={classes.headerPreferences}>
          <Preferences />
        </div>
        <Printed />
      </AppShell.Header>
      <AppShell.Main className={classes.main ?? ""}>
        <div className={classes.content} data-stale={isStale || undefined} id="content" tabIndex={-1}>
          {withVerdict ? (
            <div className={classes.verdictNarrow}>
              <Verdict withFiring={!isOfAlerts} />
            </div>
          ) : null}
          {children}
        </div>
      </AppShell.Main>
    </>
  );
}
