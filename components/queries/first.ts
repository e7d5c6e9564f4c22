"use client";
import { type QueryClient, type QueryKey, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { Me } from "@/server/contracts/access";
import type { AlertSummary } from "@/server/contracts/alerts";
import type { HealthAnswer } from "@/server/contracts/health";
import { browserNow, takeFirstTime } from "../ui/server-time";
import { meQuery } from "./access";
import { alertSummaryQuery } from "./alerts";
import { HEALTH } from "./health";

/** What every page shows of the moment it was asked for; null: not there in time, or not to be seen by who asked. */
export interface FirstAnswers {
  readonly me: Me | null;
  readonly health: HealthAnswer | null;
  readonly alerts: AlertSummary | null;
}

/** So old is what came with the page itself, in milliseconds: shown at once, and asked for again by what keeps it up to date. */
const STALE_MS = 60_000;

/** Puts what came with the page itself where the queries look for it. */
export function takeFirst(queries: QueryClient, { me, health, alerts }: FirstAnswers): void {
  if (me) queries.setQueryData(meQuery().queryKey, me);
  if (health) takeFirstTime(Date.parse(health.time));
  take(queries, HEALTH, health);
  take(queries, alertSummaryQuery().queryKey, alerts);
}

/** As {@link takeFirst}, for the one answer that a page shows itself. Called before anything that shows it. */
export function useFirst(key: QueryKey, answer: object | null): void {
  const queries = useQueryClient();
  useState(() => void take(queries, key, answer));
}

function take(queries: QueryClient, key: QueryKey, answer: object | null): void {
  if (answer === null || queries.getQueryData(key) !== undefined) return;
  queries.setQueryData(key, answer, { updatedAt: browserNow() - STALE_MS });
}
