"use client";
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Permission } from "@/server/domain/access";
import { meQuery } from "../queries/access";
import { MayNot } from "../shell/may-not";
import { NotYet } from "../shell/not-yet";
import { Page } from "../shell/page";
import { StaleNotice } from "../ui/feedback";

interface AdminPageProps {
  title: string;
  /** What it shows, to begin a sentence: "Seeing who may come in". */
  what: string;
  /** The permission it takes. */
  permission?: Permission;
  children: ReactNode;
}

/** A page for those who let others in; everybody else is told what it takes, and nothing is asked for. */
export function AdminPage({ title, what, permission = "administer", children }: AdminPageProps) {
  const { data } = useQuery(meQuery());
  // What is administered is of all sites; keys of devices are of theirs.
  const atAllSites = permission === "administer";
  const isAllowed = (atAllSites ? data?.everywhere : data?.permissions)?.includes(permission) ?? false;
  return (
    <Page title={title}>
      {isAllowed ? children : <MayNot what={what} permission={permission} atAllSites={atAllSites} />}
    </Page>
  );
}

interface LoadedProps<T> {
  query: Pick<UseQueryResult<T>, "data" | "error" | "refetch" | "isFetching">;
  /** What is loaded, with its article: "the users". */
  what: string;
  children: (data: T) => ReactNode;
}

/** What a query has brought; until then, or without it, what became of it. */
export function Loaded<T>({ query: { data, error, refetch, isFetching }, what, children }: LoadedProps<T>) {
  if (data === undefined)
    return (
      <NotYet what={what} error={error} onRetry={() => void refetch()} isRetrying={isFetching} rows={6} height={32} />
    );
  return (
    <>
      {error ? (
        <StaleNotice onRetry={() => void refetch()}>This may be out of date: {error.message}</StaleNotice>
      ) : null}
      {children(data)}
    </>
  );
}
