"use client";
import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { type MouseEvent, useState } from "react";
import { addressOf, OPENED, VIEW_PAGES, type ViewPage } from "@/server/contracts/view-pages";
import type { SavedView } from "@/server/contracts/views";
import { readable } from "@/server/domain/readable";
import { useMay, useMayEverywhere } from "../queries/access";
import { saidOf } from "../queries/request";
import { addView, changeView, VIEWS } from "../queries/views";
import { Link } from "../ui/link";
import { Spoken } from "../ui/spoken";
import { useAddress, writeAddress } from "../ui/url";
import { useOpenedView } from "./use-opened-view";
import classes from "./views.module.css";

const ViewDialog = dynamic(() => import("./view-dialog").then((dialog) => dialog.ViewDialog), { ssr: false });
const ViewMenu = dynamic(() => import("./view-menu").then((menu) => menu.ViewMenu), { ssr: false });

/** A view that was deleted, and the one it stood before. */
interface Deleted {
  readonly view: SavedView;
  readonly before: number | null;
}

/** The saved views of a page as tabs, and what can be done with the one that is open; on top of what it narrows. */
export function SavedViews({ page }: { page: ViewPage }) {
  const queries = useQueryClient();
  const [, change] = useAddress();
  const { views, view, shown, isChanged } = useOpenedView(page);
  const maySave = useMay("view");
  const mayShare = useMayEverywhere("operate");
  const [asked, setAsked] = useState<"new" | "change" | null>(null);
  const [deleted, setDeleted] = useState<Deleted | null>(null);
  const reload = () => queries.invalidateQueries({ queryKey: [VIEWS] });
  const keep = useMutation({
    mutationFn: (id: number) => changeView(id, { query: shown }),
    onSuccess: reload,
  });
  const undo = useMutation({
    mutationFn: ({ view: { id: _, by: __, ...said }, before }: Deleted) => addView({ ...said, before }),
    onSuccess: async (view) => {
      await reload();
      setDeleted(null);
      open(addressOf(view), "replace");
    },
  });
  const mayChange = view !== null && (!view.shared || mayShare);
  const trouble = keep.error ?? undo.error;
  return (
    <div className={classes.row}>
      <nav className={classes.tabs} aria-label="Saved views">
        <Tab href={VIEW_PAGES[page].href} isOpen={view === null}>
          {VIEW_PAGES[page].all}
        </Tab>
        {views?.map((one) => (
          <Tab key={one.id} href={addressOf(one)} isOpen={one.id === view?.id} title={whoseOf(one)}>
            {readable(one.name)}
            {one.id === view?.id && isChanged ? <Changed /> : null}
          </Tab>
        ))}
      </nav>
      <div className={classes.actions}>
        {trouble ? (
          <span className={classes.trouble} role="alert" title={saidOf(trouble)}>
            Nothing was saved: {saidOf(trouble)}
          </span>
        ) : deleted ? (
          <span className={classes.said} role="status">
            <span>{readable(deleted.view.name)} deleted</span>
            <Button size="compact-xs" variant="default" loading={undo.isPending} onClick={() => undo.mutate(deleted)}>
              Undo
            </Button>
          </span>
        ) : null}
        {mayChange && isChanged ? (
          <Button
            size="compact-xs"
            variant="default"
            loading={keep.isPending}
            title={`Keeps the filters, the order and the columns of now as ${readable(view.name)}`}
            onClick={() => keep.mutate(view.id)}
          >
            Update
          </Button>
        ) : null}
        {maySave && shown !== "" && (view === null || isChanged) ? (
          <Button size="compact-xs" variant="default" onClick={() => setAsked("new")}>
            {view === null ? "Save view" : "Save as"}
          </Button>
        ) : null}
        {view ? (
          <ViewMenu
            view={view}
            views={views ?? []}
            mayChange={mayChange}
            onChange={() => setAsked("change")}
            onDeleted={(before) => {
              setDeleted({ view, before });
              writeAddress(VIEW_PAGES[page].href, new URLSearchParams(), "replace");
            }}
          />
        ) : null}
      </div>
      {asked !== null && (asked === "new" || view !== null) ? (
        <ViewDialog
          page={page}
          query={shown}
          view={asked === "new" ? null : view}
          mayShare={mayShare}
          onSaved={({ id }) => change({ [OPENED]: String(id) })}
          onClose={() => setAsked(null)}
        />
      ) : null}
    </div>
  );
}

function Changed() {
  return (
    <>
      <span aria-hidden="true" title="Other filters than it was saved with">
        *
      </span>
      <Spoken>(changed)</Spoken>
    </>
  );
}

/** Opens an address of the page without loading it anew. */
function open(href: string, how: "push" | "replace"): void {
  const [path = "", query = ""] = href.split("?", 2);
  writeAddress(path, new URLSearchParams(query), how);
}

interface TabProps {
  readonly href: string;
  readonly isOpen: boolean;
  readonly title?: string;
  readonly children: React.ReactNode;
}

/** Opens at once: the page is the same, with another address. In a window of its own, it is a link like others. */
function Tab({ href, isOpen, title, children }: TabProps) {
  const onClick = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button !== 0) return;
    event.preventDefault();
    open(href, "push");
  };
  return (
    <Link href={href} aria-current={isOpen ? "page" : undefined} title={title} onClick={onClick}>
      {children}
    </Link>
  );
}

function whoseOf({ shared, by }: SavedView): string {
  if (!shared) return "Yours alone";
  return by === null ? "Everyone's" : `Everyone's, saved by ${readable(by)}`;
}
