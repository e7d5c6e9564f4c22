"use client";
import type { ReactNode } from "react";
import { useSeesAll } from "../queries/access";
import { Loading } from "../ui/feedback";
import { MayNot } from "./may-not";
import { Page } from "./page";

interface OfAllSitesProps {
  title: string;
  /** What it shows, to begin a sentence: "Seeing jobs". */
  what: string;
  children: ReactNode;
}

/** A page of what belongs to all sites together; who sees some alone is told what it takes, and nothing is asked for. */
export function OfAllSites({ title, what, children }: OfAllSitesProps) {
  const seesAll = useSeesAll();
  if (seesAll === true) return children;
  return (
    <Page title={title}>
      {seesAll === null ? (
        <Loading rows={6} label="Loading what you may do" />
      ) : (
        <MayNot what={what} permission="view" atAllSites />
      )}
    </Page>
  );
}
