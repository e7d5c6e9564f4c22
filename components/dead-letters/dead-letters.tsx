"use client";
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { useMemo, useRef, useState } from "react";
import type { DeadLetterGroup, DeadLetterGroupsAnswer } from "@/server/contracts/dead-letters";
import { useMay } from "../queries/access";
import { groupsQuery, letterQuery } from "../queries/dead-letters";
import { adviceOn, RequestError } from "../queries/request";
import { useKeyboard, useKeyHints } from "../shell/keyboard";
import { Page } from "../shell/page";
import { Empty, Failure, Loading } from "../ui/feedback";
import type { KeyHint } from "../ui/keyboard-help";
import { useListKeys } from "../ui/list-keys";
import { NoMatch } from "../ui/list-page";
import page from "../ui/list-page.module.css";
import classes from "./dead-letters.module.css";
import { Filters } from "./filters";
import { GroupTable } from "./group-table";
import { useHeld } from "./held";
import type { WantedJob } from "./job-words";
import { Jobs } from "./jobs";
import { GroupsBar } from "./list-bar";
import { useEscape } from "./use-escape";
import { useView } from "./use-view";
import { type GroupSort, groupName, STATUSES, type View } from "./view";
import { Link } from "../ui/link";

const JobDialog = dynamic(() => import("./job-dialog").then((dialog) => dialog.JobDialog), { ssr: false });
const Panel = dynamic(() => import("./panel").then((panel) => panel.Panel), {
  ssr: false,
  loading: () => (
    <aside className={classes.panelComing}>
      <Loading rows={10} label="Loading" />
    </aside>
  ),
});

const KEYS: readonly KeyHint[] = [
  { keys: ["/"], does: "Choose a device" },
  { keys: ["j", "↓"], does: "Next group" },
  { keys: ["k", "↑"], does: "Previous group" },
  { keys: ["Home", "End"], does: "First or last group" },
  { keys: ["Enter"], does: "Open the group" },
  { keys: ["[", "]"], does: "Newer or older dead letter" },
  { keys: ["Esc"], does: "Back to the group, then to the list" },
];

/** The page of dead letters: groups, with one group or one dead letter open beside them. */
export function DeadLetters() {
  const [view, change, hrefOf] = useView();
  const { status, filter, sort, group, letter } = view;
  const groups = useQuery(groupsQuery(status, filter));
  const all = useQuery(groupsQuery(status, {}));
  const { data, error, isPlaceholderData } = groups;
  const sorted = useMemo(() => data && inOrder(data.items, sort), [data, sort]);
  const list = useHeld(
    `${status} ${JSON.stringify(filter)} ${sort}`,
    isPlaceholderData ? undefined : sorted,
    groupName,
  );
  // A letter that was opened by its own address gives its group once it has loaded.
  const maySee = useMay("view-messages");
  const alone = useQuery({ ...letterQuery(letter ?? ""), enabled: maySee && letter !== null && group === null });
  const [cursor, setCursor] = useState<string | null>(null);
  const [job, setJob] = useState<WantedJob | null>(null);
  const { openHelp } = useKeyboard();
  useKeyHints("Dead letters", KEYS);
  const box = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);

  const rows = list.rows ?? [];
  const isPanelOpen = group !== null || letter !== null;
  const openGroup = group ?? (letter === null ? null : (alone.data ?? null));
  const openName = openGroup === null ? null : groupName(openGroup);
  const current = rows.findIndex(({ item }) => groupName(item) === (openName ?? cursor));
  const linkOf = (name: string) => box.current?.querySelector<HTMLElement>(`[data-group="${CSS.escape(name)}"] a`);
  const open = (name: string, how: "push" | "replace") => {
    setCursor(name);
    change({ group: name, letter: null }, how);
  };
  const go = (index: number) => {
    const row = rows[index];
    if (!row) return;
    const name = groupName(row.item);
    setCursor(name);
    linkOf(name)?.focus();
    if (isPanelOpen) open(name, "replace");
  };
  const close = () => {
    if (openName !== null) setCursor(openName);
    // An address with all three parts of a group opens it: without the field it is a filter.
    change({ group: null, letter: null, ...(filter.field === undefined ? {} : { field: null }) });
    const name = openName ?? cursor;
    if (name !== null) linkOf(name)?.focus();
  };
  useListKeys({
    move: (by) => go(current === -1 ? 0 : Math.max(0, Math.min(rows.length - 1, current + by))),
    jump: (to) => go(to === "first" ? 0 : rows.length - 1),
    open: () => {
      const row = rows[current];
      if (row) open(groupName(row.item), "push");
    },
    search: () => {
      input.current?.focus();
      input.current?.select();
    },
  });
  useEscape(isPanelOpen, () => {
    if (letter !== null && group !== null) change({ letter: null });
    else close();
  });

  const counts = data?.counts;
  const isFiltered = Object.keys(filter).length > 0;
  const isNever = counts !== undefined && STATUSES.every((one) => counts[one] === 0) && !isFiltered;
  const clear = () => change({ reason: null, device: null, field: null });
  const isRefused = error instanceof RequestError && error.status === 400;
  return (
    <Page title="Dead letters">
      <div className={page.page}>
        {isNever ? null : (
          <Filters input={input} view={view} counts={counts} groups={all.data?.items} onChange={change} />
        )}
        <Jobs onWant={setJob} />
        <div className={classes.split} data-open={isPanelOpen || undefined}>
          <div className={classes.list}>
            {isNever || !data ? null : (
              <GroupsBar
                view={view}
                items={isPlaceholderData ? null : data.items}
                total={data.total}
                added={list.added}
                isOther={list.isOther}
                trouble={error?.message ?? null}
                onTake={list.take}
                onReload={() => void groups.refetch()}
                onWant={setJob}
                onHelp={openHelp}
              />
            )}
            {!data && error ? (
              <Failure
                what="The dead letters could not be loaded"
                why={error.message}
                advice={isRefused ? "The address asks for something there isn't; clear the filters." : adviceOn(error)}
                onRetry={isRefused ? clear : () => void groups.refetch()}
                retrying={groups.isFetching}
              />
            ) : null}
            {!data && !error ? <Loading rows={12} height={24} label="Loading dead letters" /> : null}
            {list.rows?.length === 0 && counts ? (
              <Nothing view={view} isNever={isNever} counts={counts} onClear={clear} onStatus={change} />
            ) : null}
            <div className={page.box} ref={box} hidden={rows.length === 0}>
              <GroupTable
                rows={rows}
                sort={sort}
                current={current}
                openName={openName}
                dimmed={isPlaceholderData}
                hrefOf={hrefOf}
                onSort={(next) => change({ sort: next === "lastSeen" ? null : next })}
                onCurrent={setCursor}
                onOpen={(name) => open(name, isPanelOpen ? "replace" : "push")}
              />
            </div>
          </div>
          {isPanelOpen ? <Panel view={view} change={change} onClose={close} onWant={setJob} /> : null}
        </div>
      </div>
      {job ? <JobDialog key={JSON.stringify(job)} job={job} onClose={() => setJob(null)} /> : null}
    </Page>
  );
}

function inOrder(items: readonly DeadLetterGroup[], sort: GroupSort): readonly DeadLetterGroup[] {
  const newest = (a: DeadLetterGroup, b: DeadLetterGroup) =>
    b.lastSeen.localeCompare(a.lastSeen) || groupName(a).localeCompare(groupName(b));
  return items.toSorted(sort === "lastSeen" ? newest : (a, b) => b.count - a.count || newest(a, b));
}

interface NothingProps {
  view: View;
  isNever: boolean;
  counts: DeadLetterGroupsAnswer["counts"];
  onClear: () => void;
  onStatus: (change: { status: string | null }) => void;
}

function Nothing({ view, isNever, counts, onClear, onStatus }: NothingProps) {
  if (isNever)
    return (
      <Empty action={<Link href="/devices">See the devices</Link>}>
        No dead letters: everything that came in and is still kept could be read.
      </Empty>
    );
  const word = view.status === "all" ? "" : `${view.status} `;
  if (Object.keys(view.filter).length > 0) return <NoMatch onClear={onClear}>No {word}dead letter matches.</NoMatch>;
  const other = STATUSES.find((status) => counts[status] > 0) ?? "all";
  return (
    <Empty
      action={
        <Button size="xs" variant="default" onClick={() => onStatus({ status: other === "open" ? null : other })}>
          See the {other} ones
        </Button>
      }
    >
      {view.status === "open" ? "Nothing waits for a decision." : `No dead letter is ${view.status}.`}
    </Empty>
  );
}
