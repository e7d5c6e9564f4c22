"use client";
import { useQuery } from "@tanstack/react-query";
import type { DeviceView } from "@/server/contracts/devices";
import { MOST_CHANGED } from "@/server/domain/device-lists";
import { toSegment } from "@/server/domain/segment";
import dynamic from "next/dynamic";
import { useRouter } from "next/navigation";
import { useCallback, useEffect, useEffectEvent, useLayoutEffect, useMemo, useRef, useState } from "react";
import { type FirstOrder, fleetOrderQuery, fleetSummaryQuery } from "../queries/devices";
import { metricsQuery } from "../queries/metrics";
import { adviceOn, RequestError } from "../queries/request";
import { useKeyboard, useKeyHints } from "../shell/keyboard";
import { Page } from "../shell/page";
import { Copyable, Empty, Failure, Loading } from "../ui/feedback";
import type { KeyHint } from "../ui/keyboard-help";
import { useListKeys } from "../ui/list-keys";
import { NoMatch } from "../ui/list-page";
import list from "../ui/list-page.module.css";
import { ChosenBar } from "./chosen-bar";
import { choiceIn, choiceText, type ColumnChoice, metricOf, NO_CHOICE, resolveChoice } from "./columns";
import { Filters } from "./filters";
import { useColumnChoice } from "./kept-choice";
import { DevicesBar } from "./list-bar";
import { OPENED } from "@/server/contracts/view-pages";
import { useListPlace } from "../ui/list-place";
import { metricsByName } from "../ui/meaning";
import { useRowHeight } from "./row-height";
import { DeviceTable } from "./table";
import { useAddress } from "../ui/url";
import { SavedViews } from "../views/saved-views";
import { putDevice, useFleetRows } from "./visible-rows";
import { DEFAULT_SORT, readWanted } from "../queries/wanted-devices";

const DeviceSheet = dynamic(() => import("./device-sheet").then((sheet) => sheet.DeviceSheet), { ssr: false });

const KEYS: readonly KeyHint[] = [
  { keys: ["/"], does: "Search" },
  { keys: ["j", "↓"], does: "Next device" },
  { keys: ["k", "↑"], does: "Previous device" },
  { keys: ["Home", "End"], does: "First or last device" },
  { keys: ["Enter"], does: "Open the device" },
  { keys: ["p"], does: "Show the device beside the list" },
  { keys: ["x"], does: "Choose the device, or not" },
  { keys: ["Esc"], does: "Clear or leave the search" },
];

/** All devices in one list; values change in place, rows stay where they are until asked to sort again. */
export function Devices({ first }: { first: FirstOrder | null }) {
  const router = useRouter();
  const [address, change] = useAddress();
  const text = address.toString();
  const wanted = useMemo(() => readWanted(new URLSearchParams(text)), [text]);
  const order = useQuery(fleetOrderQuery(wanted, first));
  // Counts come after the rows: asked for together, they would keep each other waiting.
  const summary = useQuery({ ...fleetSummaryQuery(wanted), enabled: !order.isPlaceholderData });
  const metrics = useQuery(metricsQuery());
  const [kept, keep] = useColumnChoice();
  // A saved view has the columns it was saved with, whoever opens it.
  const isView = address.has(OPENED);
  // The address comes first: a link shows the columns it was sent with.
  const choice = useMemo(
    () => choiceIn(new URLSearchParams(text)) ?? (isView ? NO_CHOICE : kept),
    [text, isView, kept],
  );
  const choose = (chosen: ColumnChoice | null) => {
    if (!isView) keep(chosen);
    change(chosen === null ? { columns: null, trend: null } : choiceText(chosen));
  };
  // Columns kept from before are in the address, too: whoever is sent it sees the same.
  const isUntold = choice === kept && (kept.columns !== null || kept.trend !== null);
  const tellColumns = useEffectEvent(() => change(choiceText(kept)));
  useEffect(() => {
    if (isUntold) tellColumns();
  }, [isUntold]);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const toggle = useCallback(
    (id: string) =>
      setChosen((before) => {
        const next = new Set(before);
        if (!next.delete(id) && next.size < MOST_CHANGED) next.add(id);
        return next;
      }),
    [],
  );
  const [peeked, peek] = useState<string | null>(null);
  const { openHelp } = useKeyboard();
  useKeyHints("Devices", KEYS);
  const box = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);

  const { data } = order;
  const ids = data?.ids ?? NONE;
  const { columns, trend } = useMemo(
    () => resolveChoice(choice, data?.commonMetrics ?? [], data?.items.some(isLabelled)),
    [choice, data],
  );
  // What the list is about, where it is about a metric: that it is sorted by, or shows a trend of, or has a column for.
  const metric =
    /^-?value:(.+)$/.exec(wanted.sort)?.[1] ?? trend ?? columns.flatMap(({ id }) => metricOf(id) ?? [])[0] ?? null;
  const rows = useFleetRows(trend, data?.items ?? NO_ROWS);
  useLayoutEffect(() => data?.items.forEach((device) => putDevice(rows.devices, device)), [data, rows.devices]);
  const known = useMemo(() => metricsByName(metrics.data?.items), [metrics.data]);
  const staleSeconds = data?.staleSeconds ?? 0;

  const toggleAll = () =>
    setChosen((before) => {
      const all = ids.slice(0, MOST_CHANGED);
      return all.every((id) => before.has(id)) ? new Set() : new Set(all);
    });
  const rowHeight = useRowHeight();
  const place = useListPlace({
    ...{ list: "devices", rowHeight, box, ids, key: text },
    isReady: data !== undefined && !order.isPlaceholderData,
  });
  const closeSheet = () => {
    const row =
      peeked === null ? null : box.current?.querySelector<HTMLElement>(`tr[data-row="${CSS.escape(peeked)}"] a`);
    peek(null);
    // Once the sheet, which keeps the focus, is gone.
    requestAnimationFrame(() => row?.focus());
  };
  useListKeys({
    move: place.move,
    jump: place.jump,
    open: () => {
      const id = ids[place.current];
      if (id !== undefined) router.push(`/devices/${toSegment(id)}`);
    },
    choose: () => {
      const id = ids[place.current];
      if (id !== undefined) toggle(id);
    },
    peek: () => peek(ids[place.current] ?? null),
    search: () => {
      input.current?.focus();
      input.current?.select();
    },
  });

  const isEmpty = data?.ids.length === 0 && summary.data?.all === 0;
  const isFiltered = Boolean(
    wanted.search || wanted.site || wanted.state || wanted.conflicts || wanted.label || wanted.where,
  );
  const clear = () => change({ search: null, site: null, state: null, conflicts: null, label: null, where: null });
  const reload = () => {
    void order.refetch();
    void summary.refetch();
  };
  const isRefused = order.error instanceof RequestError && order.error.status === 400;
  return (
    <Page title="Devices">
      <div className={list.page}>
        <SavedViews page="devices" />
        {isEmpty && !isFiltered ? null : (
          <>
            <Filters
              input={input}
              search={wanted.search ?? ""}
              site={wanted.site ?? null}
              state={wanted.state ?? null}
              labels={wanted.label ?? NONE}
              withConflicts={wanted.conflicts ?? false}
              where={address.get("where") ?? ""}
              summary={summary.data}
              onChange={change}
              onLeave={() => {
                input.current?.blur();
                place.jump("first");
              }}
            />
            <DevicesBar
              wanted={wanted}
              summary={summary.isPlaceholderData ? undefined : summary.data}
              list={
                data && !order.isPlaceholderData && !summary.isPlaceholderData
                  ? { count: ids.length, tag: data.tag }
                  : null
              }
              trouble={data ? ((order.error ?? summary.error)?.message ?? null) : null}
              metrics={metrics.data?.items ?? []}
              reported={data?.reportedMetrics ?? NONE}
              columns={columns}
              trend={trend}
              metric={metric}
              isDefault={choice.columns === null && choice.trend === null}
              onChoose={choose}
              onReload={reload}
              onHelp={openHelp}
            />
            <ChosenBar
              chosen={[...chosen]}
              metric={metric}
              metrics={columns.flatMap(({ id }) => metricOf(id) ?? [])}
              areRetired={/retired = yes/.test(wanted.where ?? "")}
              onClear={() => setChosen(new Set())}
            />
          </>
        )}
        {!data && order.error ? (
          <Failure
            what="The devices could not be loaded"
            why={order.error.message}
            advice={
              isRefused ? "The address asks for something there isn't; clear the filters." : adviceOn(order.error)
            }
            onRetry={isRefused ? clear : reload}
            retrying={order.isFetching}
          />
        ) : null}
        {!data && !order.error ? <Loading rows={16} height={22} label="Loading devices" /> : null}
        {data && ids.length === 0 ? <Nothing isFiltered={isFiltered} onClear={clear} /> : null}
        <div className={list.box} ref={box} hidden={ids.length === 0}>
          {data ? (
            <DeviceTable
              box={box}
              ids={ids}
              rows={rows}
              columns={columns}
              trend={trend}
              metrics={known}
              sort={wanted.sort}
              staleSeconds={staleSeconds}
              current={place.current}
              chosen={chosen}
              onToggle={toggle}
              onToggleAll={toggleAll}
              onPeek={peek}
              dimmed={order.isPlaceholderData}
              onSort={(sort) => change({ sort: sort === DEFAULT_SORT ? null : sort })}
              onCurrent={place.setCurrent}
              onDrawn={place.onDrawn}
            />
          ) : null}
        </div>
        {peeked === null ? null : <DeviceSheet key={peeked} id={peeked} known={known} onClose={closeSheet} />}
      </div>
    </Page>
  );
}

const NONE: readonly string[] = [];
const isLabelled = ({ labels }: DeviceView) => Object.keys(labels).length > 0;
const NO_ROWS: readonly DeviceView[] = [];

function Nothing({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) {
  if (isFiltered) return <NoMatch onClear={onClear}>No device matches.</NoMatch>;
  return (
    <Empty action={<Copyable text="npm run replay -- recording.ndjson" label="Copy the command" />}>
      No device has reported yet. Start the demo fleet with DEMO_DEVICES=50, or replay a recording:
    </Empty>
  );
}
