"use client";
import { AppShell, Burger, NavLink } from "@mantine/core";
import { notifyManager, QueryClient, QueryClientProvider, useQuery, useQueryClient } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { usePathname } from "next/navigation";
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { deviceInAddress } from "./device-in-address";
import { applyToHealth } from "../live/apply";
import { LiveProvider, useConnectionPhase, useRoom, useRoomNews } from "../live/provider";
import { meQuery, useSeesAll } from "../queries/access";
import { ALERTS } from "../queries/alerts";
import { type FirstAnswers, takeFirst } from "../queries/first";
import { HEALTH } from "../queries/health";
import { isWorthRetrying } from "../queries/request";
import { createTogether } from "../queries/together";
import { ClockProvider } from "../ui/clock";
import { useLightOnPaper } from "../ui/printing";
import { StaleNotices } from "../ui/feedback";
import { Spoken } from "../ui/spoken";
import { ZoneProvider } from "../ui/zone";
import { MarkShape } from "../ui/state-mark";
import { AccountMenu } from "./account-menu";
import { KeyboardProvider } from "./keyboard";
import { type PageLink, useOpenPages } from "./pages";
import { Preferences } from "./preferences";
import { noteDevice } from "./recent-devices";
import { ShellContext } from "./shell-context";
import { useProofAsked } from "../queries/step-up";
import classes from "./shell.module.css";
import { useIsStale } from "./connection";
import { useTrouble } from "./verdict";
import { BrandMark } from "../ui/brand";
import { Link } from "../ui/link";

const StepUp = dynamic(() => import("./step-up").then((stepUp) => stepUp.StepUp), { ssr: false });

/** Frames every page: navigation, live channel, query cache, clock and zone. @param first what came with the page itself */
export function Shell({ first, children }: { first: FirstAnswers; children: ReactNode }) {
  const [queries] = useState(() => {
    const made = createQueryClient();
    takeFirst(made, first);
    return made;
  });
  return (
    <QueryClientProvider client={queries}>
      <LiveProvider>
        <ClockProvider>
          <ZoneProvider>
            <KeyboardProvider>
              <Frame>{children}</Frame>
              <StepUpWhenAsked />
            </KeyboardProvider>
          </ZoneProvider>
        </ClockProvider>
      </LiveProvider>
    </QueryClientProvider>
  );
}

function Frame({ children }: { children: ReactNode }) {
  const [opened, setOpened] = useState(false);
  const [bare, setBare] = useState(false);
  const hasNavigated = useRef(false);
  const path = usePathname();
  const seesAll = useSeesAll();
  const { pages, adminPages } = useOpenPages();
  const closeNavigation = useCallback(() => setOpened(false), []);
  useLightOnPaper();
  useSignedOut();
  useOtherAccount();
  useRoomNews("alerts", [ALERTS]);
  useEffect(() => {
    const id = path.startsWith("/devices/") ? deviceInAddress(path.slice("/devices/".length)) : null;
    if (id !== null) noteDevice(id);
  }, [path]);
  const arrive = useCallback(() => {
    const isFirst = !hasNavigated.current;
    hasNavigated.current = true;
    return !isFirst;
  }, []);
  const goBare = useCallback(() => {
    setBare(true);
    return () => setBare(false);
  }, []);
  const shell = useMemo(
    () => ({ opened, toggle: () => setOpened((was) => !was), goBare, arrive }),
    [opened, goBare, arrive],
  );
  return (
    <ShellContext value={shell}>
      {seesAll === true ? <HealthRoom /> : null}
      <AppShell
        disabled={bare}
        layout="alt"
        header={{ height: 56 }}
        navbar={{ width: 176, breakpoint: "sm", collapsed: { mobile: !opened } }}
        padding={0}
        transitionDuration={120}
      >
        {bare ? null : (
          <a className={classes.skip} href="#content">
            Skip to content
          </a>
        )}
        <AppShell.Navbar className={classes.nav} aria-label="Pages">
          <div className={classes.brand}>
            <BrandMark />
            Fieldwatch
            <Burger
              opened
              onClick={() => setOpened(false)}
              hiddenFrom="sm"
              size="sm"
              aria-label="Close the navigation"
              className={classes.close ?? ""}
            />
          </div>
          <Entries pages={pages} path={path} onGo={closeNavigation} />
          {adminPages.length > 0 ? (
            <div className={classes.navGroup}>
              <Entries pages={adminPages} path={path} onGo={closeNavigation} />
            </div>
          ) : null}
          <div className={classes.navEnd}>
            <div className={classes.navFoot}>
              <Preferences />
            </div>
            <AccountMenu onGo={closeNavigation} />
          </div>
        </AppShell.Navbar>
        {children}
      </AppShell>
      <StaleNotices />
    </ShellContext>
  );
}

function StepUpWhenAsked() {
  return useProofAsked() === null ? null : <StepUp />;
}

/** Links to pages, the one that is shown marked. */
function Entries({ pages, path, onGo }: { pages: readonly PageLink[]; path: string; onGo: () => void }) {
  const isHere = (href: string) => (href === "/" ? path === "/" : path === href || path.startsWith(`${href}/`));
  return pages.map(({ href, label }) => (
    <NavLink
      key={href}
      component={Link}
      href={href}
      label={label}
      rightSection={href === "/health" ? <Failing /> : undefined}
      active={isHere(href)}
      aria-current={isHere(href) ? "page" : undefined}
      onClick={onGo}
      className={classes.link ?? ""}
    />
  ));
}

/** A live channel that broke off may be a session that has ended: its handshake doesn't tell, this answer does. */
function useSignedOut(): void {
  const queries = useQueryClient();
  const isBroken = useConnectionPhase() === "reconnecting";
  useEffect(() => {
    if (isBroken) void queries.refetchQueries({ queryKey: meQuery().queryKey });
  }, [queries, isBroken]);
}

/** Somebody else signed in, in another tab: nothing that was shown to the one before stays. */
function useOtherAccount(): void {
  const id = useQuery(meQuery()).data?.accountId;
  const first = useRef(id);
  useEffect(() => {
    if (first.current !== undefined && id !== first.current) window.location.reload();
    first.current = id;
  }, [id]);
}

/** Every page shows what is wrong: the shell watches health for all of them, and asks once more when the live channel falls silent. */
function HealthRoom() {
  const queries = useQueryClient();
  useRoom("health", HEALTH, applyToHealth);
  const isStale = useIsStale();
  useEffect(() => {
    if (isStale) void queries.refetchQueries({ queryKey: HEALTH }, { cancelRefetch: false });
  }, [queries, isStale]);
  return null;
}

/** Shows how many probes fail; nothing while none does. */
function Failing() {
  const { failing } = useTrouble();
  if (failing === 0) return null;
  return (
    <span className={classes.failing} title={`${failing} failing`}>
      <MarkShape mark="failing" />
      {failing}
      <Spoken> failing</Spoken>
    </span>
  );
}

function createQueryClient(): QueryClient {
  notifyManager.setScheduler(createTogether());
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 2000,
        retry: (failures, error) => failures < 1 && isWorthRetrying(error),
        retryDelay: 1000,
        // Failing to reach our own server says nothing about the internet: go on asking.
        networkMode: "always",
      },
    },
  });
}
