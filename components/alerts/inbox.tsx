"use client";
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { useRouter } from "next/navigation";
import { Fragment, useMemo, useRef, useState } from "react";
import type { Alert, ListedAlert } from "@/server/contracts/alerts";
import { counted } from "@/server/domain/counted";
import { useMay } from "../queries/access";
import { alertsQuery, alertSummaryQuery, MOST_OPEN } from "../queries/alerts";
import { whyOfAlert } from "../queries/why";
import { AlertPages } from "../shell/alert-pages";
import { useKeyboard, useKeyHints } from "../shell/keyboard";
import { NotYet } from "../shell/not-yet";
import { Page } from "../shell/page";
import { formatTotal } from "../ui/format";
import type { KeyHint } from "../ui/keyboard-help";
import { isKeyTaken } from "../ui/key-target";
import { useListKeys } from "../ui/list-keys";
import { ListBar, NoMatch } from "../ui/list-page";
import { useAddress } from "../ui/url";
import { useKeys } from "../ui/use-keys";
import { SavedViews } from "../views/saved-views";
import page from "../ui/list-page.module.css";
import classes from "./alerts.module.css";
import { Beneath } from "./beneath";
import { Filters } from "./filters";
import { Quiet, InboxVerdict } from "./quiet";
import { Row } from "./row";
import { useSpecs } from "./use-specs";
import { useStill } from "./use-still";
import { useTrends } from "./use-trends";
import { isFiltered, readView, STEP, wantedOf, type View } from "../queries/wanted-alerts";
import { silenceAddress, trendLimits, whatOf, whatText } from "./words";

const Acknowledge = dynamic(() => import("./acknowledge").then((dialog) => dialog.Acknowledge), { ssr: false });

const KEYS: readonly KeyHint[] = [
  { keys: ["j", "↓"], does: "Next alert" },
  { keys: ["k", "↑"], does: "Previous alert" },
  { keys: ["a"], does: "Acknowledge it" },
  { keys: ["s"], does: "Silence it" },
  { keys: ["e"], does: "Say why" },
  { keys: ["Enter"], does: "Open it" },
  { keys: ["/"], does: "Choose a device" },
];

/** What fires, who looks after it, and what has ended. */
export function Inbox() {
  const [address, change] = useAddress();
  const text = address.toString();
  const view = useMemo(() => readView(new URLSearchParams(text)), [text]);
  const { data: summary } = useQuery(alertSummaryQuery());
  const listed = useQuery(alertsQuery(wantedOf(view)));
  const specOf = useSpecs();
  const router = useRouter();
  const { openHelp } = useKeyboard();
  useKeyHints("Alerts", KEYS);
  const list = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [asked, setAsked] = useState<Alert | null>(null);
  const [opened, setOpened] = useState<string | null>(null);
  const mayOperate = useMay("operate");

  const { data, error } = listed;
  const { rows, waiting, release } = useStill(data?.items ?? NONE, list, asked !== null, text);
  const trendOf = useTrends(rows);
  const current = rows.findIndex(({ id }) => id === cursor);
  const go = (index: number) => {
    const row = rows[index];
    if (!row) return;
    setCursor(row.id);
    list.current?.querySelector<HTMLElement>(`[data-alert="${row.id}"] a`)?.focus();
  };
  const openCurrent = () => {
    const row = rows[current];
    if (row) router.push(`/alerts/${row.id}`);
  };
  useListKeys({
    move: (by) => go(current === -1 ? 0 : Math.max(0, Math.min(rows.length - 1, current + by))),
    jump: (to) => go(to === "first" ? 0 : rows.length - 1),
    open: openCurrent,
    search: () => input.current?.focus(),
  });
  useKeys((event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isKeyTaken(event)) return;
    if (event.key !== "a" && event.key !== "e" && event.key !== "s") return;
    event.preventDefault();
    const row = rows[current];
    if (!row) go(0);
    else if (event.key === "e") router.push(whyOfAlert(row) ?? `/alerts/${row.id}`);
    else if (event.key === "s") router.push(silenceAddress(row));
    else if (mayOperate && row.endedAt === null) setAsked(row);
  });
  const close = () => {
    setAsked(null);
    if (current !== -1) go(current);
  };
  const words = (alert: Alert) => whatOf(alert, specOf(alert.rule.id));
  const isPart = data !== undefined && data.next !== null;
  return (
    <Page title="Alerts" isOfAlerts>
      <AlertPages />
      <div className={classes.page}>
        <InboxVerdict />
        <SavedViews page="alerts" />
        <Filters view={view} summary={summary} listed={rows} input={input} onChange={change} />
        <ListBar
          className=""
          total={data ? told(rows.length, isPart, view) : ""}
          what="These alerts"
          trouble={data && error ? error.message : null}
          offer={
            waiting > 0 ? (
              <Button size="compact-xs" variant="light" onClick={release}>
                Show {waiting} more
              </Button>
            ) : null
          }
          onReload={() => void listed.refetch()}
          onHelp={openHelp}
        >
          {null}
        </ListBar>
        {data ? null : (
          <NotYet
            what="the alerts"
            error={error}
            onRetry={() => void listed.refetch()}
            isRetrying={listed.isFetching}
            rows={8}
            height={40}
          />
        )}
        {data && rows.length === 0 ? <Nothing view={view} onClear={() => change(NO_FILTER)} /> : null}
        <div ref={list}>
          <ul
            className={page.rows}
            hidden={rows.length === 0}
            aria-label="Alerts"
            data-dimmed={listed.isPlaceholderData || undefined}
          >
            {rows.map((alert) => (
              <Fragment key={alert.id}>
                <Row
                  alert={alert}
                  what={words(alert)}
                  trend={trendOf(alert)?.values}
                  limits={trendLimits(alert, specOf(alert.rule.id))}
                  isCurrent={alert.id === cursor}
                  isOpen={alert.id === opened}
                  onCurrent={() => setCursor(alert.id)}
                  onOpen={() => setOpened(alert.id === opened ? null : alert.id)}
                  onAcknowledge={() => setAsked(alert)}
                />
                {alert.id === opened ? <Beneath parent={alert.id} count={alert.children} /> : null}
              </Fragment>
            ))}
          </ul>
        </div>
        {isPart ? (
          <p className={classes.more}>
            {view.limit < MOST_OPEN ? (
              <Button
                size="compact-sm"
                variant="default"
                loading={listed.isPlaceholderData}
                onClick={() => change({ limit: String(view.limit + STEP) })}
              >
                Show more
              </Button>
            ) : (
              "There are more: choose a site, a rule or a device."
            )}
          </p>
        ) : null}
      </div>
      {asked ? <Acknowledge key={asked.id} alert={asked} words={whatText(words(asked))} onClose={close} /> : null}
    </Page>
  );
}

const NONE: readonly ListedAlert[] = [];
const NO_FILTER = { severity: null, site: null, rule: null, device: null, parent: null };

function Nothing({ view, onClear }: { view: View; onClear: () => void }) {
  if (isFiltered(view)) return <NoMatch onClear={onClear}>No such alert.</NoMatch>;
  return <Quiet shown={view.shown} />;
}

function told(count: number, isPart: boolean, { shown }: View): string {
  if (count === 0) return "";
  return isPart ? `The ${shown === "ended" ? "last" : "worst"} ${formatTotal(count)}` : counted(count, "alert");
}
