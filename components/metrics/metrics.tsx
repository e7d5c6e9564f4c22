"use client";
import { Button, Menu } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { useMemo, useRef, useState } from "react";
import { counted } from "@/server/domain/counted";
import { useMayEverywhere } from "../queries/access";
import { metricsQuery, metricUseQuery } from "../queries/metrics";
import { useKeyboard, useKeyHints } from "../shell/keyboard";
import { NotYet } from "../shell/not-yet";
import { Page } from "../shell/page";
import { BeingRemoved } from "../shell/removals";
import { MetricPages } from "../shell/sub-pages";
import { Empty } from "../ui/feedback";
import { formatTotal } from "../ui/format";
import type { KeyHint } from "../ui/keyboard-help";
import { Link } from "../ui/link";
import { useListKeys } from "../ui/list-keys";
import { Chip, ListBar, NoMatch } from "../ui/list-page";
import list from "../ui/list-page.module.css";
import { useListPlace } from "../ui/list-place";
import { SearchField } from "../ui/search-field";
import { useAddress } from "../ui/url";
import { inOrder, isFound, type ListedMetric, listedMetrics, ONLY, type Only, readWanted, type Sort } from "./listed";
import classes from "./metrics.module.css";
import { MetricTable, useRowHeight, type Wish } from "./table";

const WishDialog = dynamic(() => import("./dialogs").then((dialogs) => dialogs.WishDialog), { ssr: false });

const SitesDialog = dynamic(() => import("./sites-dialog").then((dialogs) => dialogs.SitesDialog), { ssr: false });

const TypesDialog = dynamic(() => import("./types-dialog").then((dialogs) => dialogs.TypesDialog), { ssr: false });

const KEYS: readonly KeyHint[] = [
  { keys: ["/"], does: "Search" },
  { keys: ["j", "↓"], does: "Next metric" },
  { keys: ["k", "↑"], does: "Previous metric" },
  { keys: ["Home", "End"], does: "First or last metric" },
  { keys: ["Enter"], does: "Say its meaning and look" },
  { keys: ["Esc"], does: "Clear or leave the search" },
];

/** All metrics: what they mean, which devices have them, and what can be done with them. */
export function Metrics() {
  const [address, change] = useAddress();
  const text = address.toString();
  const wanted = useMemo(() => readWanted(new URLSearchParams(text)), [text]);
  const metrics = useQuery(metricsQuery());
  const use = useQuery(metricUseQuery());
  const mayDeclare = useMayEverywhere("declare");
  const mayEdit = useMayEverywhere("edit");
  const [opened, setOpened] = useState<"sites" | "types" | null>(null);
  const { openHelp } = useKeyboard();
  useKeyHints("Metrics", KEYS);
  const [wish, setWish] = useState<Wish | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const rowHeight = useRowHeight();

  const all = useMemo(
    () => metrics.data && listedMetrics(metrics.data.items, use.data?.items),
    [metrics.data, use.data],
  );
  const found = useMemo(() => all?.filter((metric) => isFound(metric, wanted.search)) ?? NONE, [all, wanted.search]);
  const chosen = useMemo(
    () => (wanted.only === null ? found : found.filter(ONLY[wanted.only].holds)),
    [found, wanted.only],
  );
  const rows = useHeldOrder(chosen, wanted.sort, use.data !== undefined);
  const names = useMemo(() => rows.map(({ name }) => name), [rows]);
  const place = useListPlace({
    ...{ list: "metrics", rowHeight, box, ids: names, key: text },
    isReady: all !== undefined,
  });
  const declare = (metric: ListedMetric | undefined) => {
    if (metric && mayDeclare) setWish({ kind: "declare", metric });
  };
  useListKeys({
    move: place.move,
    jump: place.jump,
    open: () => declare(rows[place.current]),
    search: () => {
      input.current?.focus();
      input.current?.select();
    },
  });

  const reload = () => {
    void metrics.refetch();
    void use.refetch();
  };
  const clear = () => change({ search: null, only: null });
  const isFiltered = wanted.search !== "" || wanted.only !== null;
  const trouble = all === undefined ? null : ((metrics.error ?? use.error)?.message ?? null);
  return (
    <Page title="Metrics">
      <MetricPages />
      <div className={list.page}>
        {all?.length === 0 && !isFiltered ? null : (
          <>
            <div className={list.filters} role="search">
              <SearchField
                input={input}
                label="Search metrics"
                placeholder="Search name, unit or owner"
                search={wanted.search}
                onSearch={(search) => change({ search })}
                onLeave={() => {
                  input.current?.blur();
                  place.jump("first");
                }}
              />
              <Chips found={all && found} isUseKnown={use.data !== undefined} only={wanted.only} onChange={change} />
            </div>
            <ListBar
              className={classes.bar}
              total={all ? told(rows.length, all.length) : ""}
              what="These metrics"
              trouble={trouble}
              offer={<BeingRemoved kind="metric" />}
              onReload={reload}
              onHelp={openHelp}
            >
              <Dictionary />
              {mayEdit ? (
                <>
                  <Button size="compact-xs" variant="default" onClick={() => setOpened("sites")}>
                    Sites…
                  </Button>
                  <Button size="compact-xs" variant="default" onClick={() => setOpened("types")}>
                    Device types…
                  </Button>
                </>
              ) : null}
            </ListBar>
          </>
        )}
        {all ? null : (
          <NotYet
            what="the metrics"
            error={metrics.error}
            onRetry={reload}
            isRetrying={metrics.isFetching}
            rows={16}
            height={24}
          />
        )}
        {all && rows.length === 0 ? <Nothing isFiltered={isFiltered} onClear={clear} /> : null}
        <div className={list.box} ref={box} hidden={rows.length === 0}>
          {all ? (
            <MetricTable
              box={box}
              rows={rows}
              sort={wanted.sort}
              rowHeight={rowHeight}
              dataOwner={metrics.data?.dataOwner ?? null}
              current={place.current}
              onSort={(sort) => change({ sort: sort === "name" ? null : sort })}
              onCurrent={place.setCurrent}
              onDrawn={place.onDrawn}
              onWish={setWish}
            />
          ) : null}
        </div>
      </div>
      {opened === "sites" ? <SitesDialog onClose={() => setOpened(null)} /> : null}
      {opened === "types" ? <TypesDialog onClose={() => setOpened(null)} /> : null}
      {wish ? <WishDialog wish={wish} metrics={metrics.data?.items ?? NONE} onClose={() => setWish(null)} /> : null}
    </Page>
  );
}

const NONE: readonly ListedMetric[] = [];

function told(count: number, all: number): string {
  return count === all ? counted(all, "metric") : `${formatTotal(count)} of ${formatTotal(all)} metrics`;
}

/** The metrics in the order they had when it was asked for: counts and times change in place, and no row moves under the eye. */
function useHeldOrder(metrics: readonly ListedMetric[], sort: Sort, isUseKnown: boolean): readonly ListedMetric[] {
  const key = useMemo(
    () => `${sort} ${isUseKnown} ${metrics.map(({ name }) => name).join()}`,
    [metrics, sort, isUseKnown],
  );
  const inOrderNow = () => ({ key, names: inOrder(metrics, sort).map(({ name }) => name) });
  const [held, setHeld] = useState(inOrderNow);
  if (held.key !== key) setHeld(inOrderNow());
  const { names } = held;
  return useMemo(() => {
    const byName = new Map(metrics.map((metric) => [metric.name, metric]));
    return names.flatMap((name) => byName.get(name) ?? []);
  }, [metrics, names]);
}

interface ChipsProps {
  found: readonly ListedMetric[] | undefined;
  isUseKnown: boolean;
  only: Only | null;
  onChange: (change: { only: string | null }) => void;
}

function Chips({ found, isUseKnown, only, onChange }: ChipsProps) {
  const countOf = (one: Only) =>
    found === undefined || (one === "unused" && !isUseKnown) ? undefined : found.filter(ONLY[one].holds).length;
  return (
    <div className={classes.chips} role="group" aria-label="Narrow the list">
      <Chip isChosen={only === null} isNone={false} count={found?.length} onChoose={() => onChange({ only: null })}>
        All
      </Chip>
      {(Object.keys(ONLY) as Only[]).map((one) => (
        <Chip
          key={one}
          isChosen={only === one}
          isNone={!countOf(one)}
          count={countOf(one)}
          onChoose={() => onChange({ only: only === one ? null : one })}
        >
          <span>{ONLY[one].label}</span>
        </Chip>
      ))}
    </div>
  );
}

function Nothing({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) {
  if (isFiltered) return <NoMatch onClear={onClear}>No metric matches.</NoMatch>;
  return (
    <Empty action={<Link href="/health#checklist">See how to send the first reading</Link>}>
      No metric yet: the first reading of a device makes one.
    </Empty>
  );
}

/** What each metric means, as a file. */
function Dictionary() {
  return (
    <Menu position="bottom-end" shadow="sm" transitionProps={{ duration: 0 }}>
      <Menu.Target>
        <Button size="compact-xs" variant="default">
          Dictionary
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {[
          ["CSV", "/api/v1/metrics.csv"],
          ["Markdown", "/api/v1/metrics.md"],
          ["JSON", "/api/v1/metrics"],
        ].map(([form, href]) => (
          <Menu.Item key={form} component="a" href={href} download>
            {form}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
