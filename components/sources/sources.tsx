"use client";
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { useRouter } from "next/navigation";
import { useMemo, useRef } from "react";
import { counted } from "@/server/domain/counted";
import { useMay } from "../queries/access";
import { sourcesQuery, templatesQuery } from "../queries/sources";
import { useKeyboard, useKeyHints } from "../shell/keyboard";
import { NotYet } from "../shell/not-yet";
import { Page } from "../shell/page";
import { useNow } from "../ui/clock";
import { Empty } from "../ui/feedback";
import { formatTotal } from "../ui/format";
import type { KeyHint } from "../ui/keyboard-help";
import { useListKeys } from "../ui/list-keys";
import { Chip, ListBar, NoMatch } from "../ui/list-page";
import list from "../ui/list-page.module.css";
import { useListPlace } from "../ui/list-place";
import { SearchField } from "../ui/search-field";
import { useAddress } from "../ui/url";
import { isFound, type ListedSource, listedSources, readWanted } from "./listed";
import classes from "./sources.module.css";
import { type Standing, STANDINGS } from "./standing";
import { SourceTable, useRowHeight } from "./table";
import { useRates } from "./use-rates";

const NewSource = dynamic(() => import("./new-source").then((dialog) => dialog.NewSource), { ssr: false });

const KEYS: readonly KeyHint[] = [
  { keys: ["/"], does: "Search" },
  { keys: ["j", "↓"], does: "Next source" },
  { keys: ["k", "↑"], does: "Previous source" },
  { keys: ["Home", "End"], does: "First or last source" },
  { keys: ["Enter"], does: "Open it" },
  { keys: ["Esc"], does: "Clear or leave the search" },
];

/** Who sends: every source, how it stands, and what came of what it sent. */
export function Sources() {
  const [address, change] = useAddress();
  const text = address.toString();
  const wanted = useMemo(() => readWanted(new URLSearchParams(text)), [text]);
  const sources = useQuery(sourcesQuery());
  const templates = useQuery(templatesQuery());
  const mayMake = useMay("edit");
  const { openHelp } = useKeyboard();
  useKeyHints("Sources", KEYS);
  const box = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const rowHeight = useRowHeight();
  const router = useRouter();
  const now = useNow(5000);
  const rates = useRates(sources.data?.items, sources.dataUpdatedAt);

  const titles = useMemo(
    () => new Map(templates.data?.items.map(({ kind, title }) => [kind, title])),
    [templates.data],
  );
  const all = useMemo(() => sources.data && listedSources(sources.data, titles, now), [sources.data, titles, now]);
  const found = useMemo(() => all?.filter((one) => isFound(one, wanted.search)) ?? NONE, [all, wanted.search]);
  const rows = wanted.only === null ? found : found.filter(({ standing }) => standing === wanted.only);
  const names = rows.map(({ source }) => source.name).join();
  const ids = useMemo(() => names.split(",").filter(Boolean), [names]);
  const place = useListPlace({ list: "sources", rowHeight, box, ids, key: text, isReady: all !== undefined });
  useListKeys({
    move: place.move,
    jump: place.jump,
    open: () => {
      const name = ids[place.current];
      if (name !== undefined) router.push(`/sources/${name}`);
    },
    search: () => {
      input.current?.focus();
      input.current?.select();
    },
  });

  const isFiltered = wanted.search !== "" || wanted.only !== null;
  const trouble = all === undefined ? null : (sources.error?.message ?? null);
  const make = mayMake ? (
    <Button size="compact-sm" className={classes.make ?? ""} onClick={() => change({ new: "1" }, "push")}>
      New source…
    </Button>
  ) : null;
  return (
    <Page title="Sources">
      <div className={list.page}>
        <div className={list.filters} role="search">
          <SearchField
            input={input}
            label="Search sources"
            placeholder="Search name, kind or site"
            search={wanted.search}
            onSearch={(search) => change({ search })}
            onLeave={() => {
              input.current?.blur();
              place.jump("first");
            }}
          />
          <Chips found={all && found} only={wanted.only} onChange={change} />
        </div>
        <ListBar
          className={classes.listBar}
          total={all ? told(rows.length, all.length) : ""}
          what="These sources"
          trouble={trouble}
          offer={null}
          onReload={() => void sources.refetch()}
          onHelp={openHelp}
        >
          {make}
        </ListBar>
        {all ? null : (
          <NotYet
            what="the sources"
            error={sources.error}
            onRetry={() => void sources.refetch()}
            isRetrying={sources.isFetching}
            rows={8}
            height={24}
          />
        )}
        {all && rows.length === 0 ? (
          isFiltered ? (
            <NoMatch onClear={() => change({ search: null, only: null })}>No source matches.</NoMatch>
          ) : (
            <Empty action={make}>No source yet. A source is who sends: its key, and how what it sends is read.</Empty>
          )
        ) : null}
        <div className={list.box} ref={box} hidden={rows.length === 0}>
          {all ? (
            <SourceTable
              rows={rows}
              rates={rates}
              current={place.current}
              onCurrent={place.setCurrent}
              onDrawn={place.onDrawn}
            />
          ) : null}
        </div>
      </div>
      {mayMake && address.get("new") !== null ? (
        <NewSource taken={sources.data?.items.map(({ name }) => name) ?? []} onClose={() => change({ new: null })} />
      ) : null}
    </Page>
  );
}

const NONE: readonly ListedSource[] = [];

function told(count: number, all: number): string {
  return count === all ? counted(all, "source") : `${formatTotal(count)} of ${formatTotal(all)} sources`;
}

interface ChipsProps {
  found: readonly ListedSource[] | undefined;
  only: Standing | null;
  onChange: (change: { only: string | null }) => void;
}

function Chips({ found, only, onChange }: ChipsProps) {
  return (
    <div className={classes.chips} role="group" aria-label="Narrow the list">
      <Chip isChosen={only === null} isNone={false} count={found?.length} onChoose={() => onChange({ only: null })}>
        All
      </Chip>
      {(Object.keys(STANDINGS) as Standing[]).map((one) => {
        const count = found?.filter(({ standing }) => standing === one).length;
        return (
          <Chip
            key={one}
            isChosen={only === one}
            isNone={!count}
            count={count}
            onChoose={() => onChange({ only: only === one ? null : one })}
          >
            <span>{STANDINGS[one].word}</span>
          </Chip>
        );
      })}
    </div>
  );
}
