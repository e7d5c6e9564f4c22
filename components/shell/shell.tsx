"use client";
import { AppShell, Burger, NavLink } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { type ReactNode, useState } from "react";
import { LiveProvider } from "../live/provider";
import { isWorthRetrying } from "../queries/request";
import { ClockProvider } from "../ui/clock";
import { ZoneProvider } from "../ui/zone";
import { NavContext } from "./nav-context";
import { Preferences } from "./preferences";
import classes from "./shell.module.css";

const PAGES = [
  { href: "/", label: "Overview" },
  { href: "/devices", label: "Devices" },
  { href: "/pipeline", label: "Pipeline" },
  { href: "/dead-letters", label: "Dead letters" },
  { href: "/health", label: "Health" },
] as const;

/** What is around every page: navigation, live channel, query cache, clock and zone. */
export function Shell({ children }: { children: ReactNode }) {
  const [queries] = useState(createQueryClient);
  return (
    <QueryClientProvider client={queries}>
      <LiveProvider>
        <ClockProvider>
          <ZoneProvider>
            <Frame>{children}</Frame>
          </ZoneProvider>
        </ClockProvider>
      </LiveProvider>
    </QueryClientProvider>
  );
}

function Frame({ children }: { children: ReactNode }) {
  const [opened, setOpened] = useState(false);
  const path = usePathname();
  const isHere = (href: string) => (href === "/" ? path === "/" : path === href || path.startsWith(`${href}/`));
  return (
    <NavContext value={{ opened, toggle: () => setOpened((was) => !was) }}>
      <AppShell
        layout="alt"
        header={{ height: 56 }}
        navbar={{ width: 176, breakpoint: "sm", collapsed: { mobile: !opened } }}
        padding={0}
        transitionDuration={120}
      >
        <a className={classes.skip} href="#content">
          Skip to content
        </a>
        <AppShell.Navbar className={classes.nav} aria-label="Pages">
          <div className={classes.brand}>
            <svg viewBox="0 0 32 32" width="20" height="20" aria-hidden="true">
              <path
                d="M2 17h7l4-11 5 19 4-12 2 4h6"
                fill="none"
                stroke="currentColor"
                strokeWidth="2.5"
                strokeLinejoin="round"
              />
            </svg>
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
          {PAGES.map(({ href, label }) => (
            <NavLink
              key={href}
              component={Link}
              href={href}
              label={label}
              active={isHere(href)}
              aria-current={isHere(href) ? "page" : undefined}
              onClick={() => setOpened(false)}
              className={classes.link ?? ""}
            />
          ))}
          <div className={classes.navFoot}>
            <Preferences />
          </div>
        </AppShell.Navbar>
        {children}
      </AppShell>
    </NavContext>
  );
}

function createQueryClient(): QueryClient {
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
