"use client";
import { Button, SegmentedControl, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";
import type { EventView } from "@/server/contracts/events";
import { counted } from "@/server/domain/counted";
import { useMay } from "../queries/access";
import { sitesQuery } from "../queries/device";
import { eventsQuery } from "../queries/events";
import { kindsIn, spanOf, wantedEvents } from "../queries/wanted-events";
import { NotYet } from "../shell/not-yet";
import { Page } from "../shell/page";
import { useNow } from "../ui/clock";
import { Empty, StaleNotice } from "../ui/feedback";
import { formatMoment } from "../ui/format";
import { NoMatch } from "../ui/list-page";
import { Pager, usePages } from "../ui/pager";
import { SearchField } from "../ui/search-field";
import { MarkShape } from "../ui/state-mark";
import { type AddressChanges, useAddress } from "../ui/url";
import { useZone } from "../ui/zone";
import { SavedViews } from "../views/saved-views";
import list from "../ui/list-page.module.css";
import { Said } from "../ui/said";
import classes from "./events.module.css";
import { NoteDialog } from "./note";
import { EventSheet } from "./sheet";
import { KIND_WORDS, KINDS, lasted, markOf } from "./view";

const NO_FILTER = { kinds: null, severity: null, site: null, device: null, q: null };

/** What happened, the latest first. */
export function Events() {
  const [address, change] = useAddress();
  const mayWrite = useMay("operate");
  const [isWriting, setWriting] = useState(false);
  // Another filter begins at its first page.
  const shown = new URLSearchParams(address.toString());
  shown.delete("event");
  return (
    <Page title="Events">
      <SavedViews page="events" />
      <Filters address={address} change={change} onNote={mayWrite ? () => setWriting(true) : null} />
      <Listed key={shown.toString()} address={address} change={change} />
      {isWriting ? <NoteDialog onClose={() => setWriting(false)} /> : null}
    </Page>
  );
}

interface PartProps {
  readonly address: URLSearchParams;
  readonly change: (changes: AddressChanges) => void;
}

function Filters({ address, change, onNote }: PartProps & { readonly onNote: (() => void) | null }) {
  const { data: sites } = useQuery(sitesQuery());
  const input = useRef<HTMLInputElement>(null);
  const chosen = kindsIn(address.get("kinds"));
  const device = address.get("device");
  return (
    <div className={`${list.filters} ${classes.filters}`} role="search">
      <SearchField
        input={input}
        label="Search events"
        placeholder="Device, engine, rule, note …"
        search={address.get("q") ?? ""}
        onSearch={(q) => change({ q })}
        onLeave={() => input.current?.blur()}
      />
      <div className={list.chips} role="group" aria-label="Kind">
        {KINDS.map((kind) => (
          <button
            key={kind}
            type="button"
            className={list.chip}
            aria-pressed={chosen.includes(kind)}
            onClick={() => {
              const next = chosen.includes(kind) ? chosen.filter((one) => one !== kind) : [...chosen, kind];
              change({ kinds: next.join(",") || null });
            }}
          >
            {KIND_WORDS[kind]}
          </button>
        ))}
      </div>
      <Select
        size="xs"
        aria-label="Severity"
        placeholder="Any severity"
        clearable
        w={150}
        value={address.get("severity")}
        data={[
          { value: "warning", label: "Warning or worse" },
          { value: "critical", label: "Critical" },
        ]}
        onChange={(severity) => change({ severity })}
      />
      <Select
        size="xs"
        aria-label="Site"
        placeholder="All sites"
        clearable
        w={150}
        value={address.get("site")}
        data={sites ?? []}
        onChange={(site) => change({ site })}
      />
      {device === null ? null : (
        <Button size="compact-sm" variant="default" onClick={() => change({ device: null })}>
          Device {device} ×
        </Button>
      )}
      {address.get("from") !== null ? (
        <Button size="compact-sm" variant="default" onClick={() => change({ from: null, to: null })}>
          Chosen time ×
        </Button>
      ) : (
        <SegmentedControl
          size="xs"
          aria-label="Time"
          value={spanOf(address)}
          onChange={(span) => change({ span: span === "7d" ? null : span })}
          data={[
            { value: "1h", label: "1 h" },
            { value: "24h", label: "24 h" },
            { value: "7d", label: "7 days" },
            { value: "30d", label: "30 days" },
          ]}
        />
      )}
      {onNote === null ? null : (
        <Button size="xs" variant="default" onClick={onNote}>
          Write a note
        </Button>
      )}
    </div>
  );
}

function Listed({ address, change }: PartProps) {
  const pages = usePages();
  const now = useNow(60_000);
  const minute = Math.ceil(now / 60_000) * 60_000;
  const { data, error, refetch, isFetching, isPlaceholderData } = useQuery(
    eventsQuery({ ...wantedEvents(address, minute), cursor: pages.cursor ?? undefined }, 15_000),
  );
  if (!data)
    return (
      <NotYet
        what="events"
        error={error}
        onRetry={() => void refetch()}
        isRetrying={isFetching}
        rows={10}
        height={36}
      />
    );
  const open = data.items.find(({ id }) => id === address.get("event"));
  const isFiltered = Object.keys(NO_FILTER).some((key) => address.get(key) !== null);
  return (
    <>
      {error ? (
        <StaleNotice onRetry={() => void refetch()}>These events may be out of date: {error.message}</StaleNotice>
      ) : null}
      {data.items.length > 0 ? (
        <ul className={list.rows} aria-label="Events" data-dimmed={isPlaceholderData || undefined}>
          {data.items.map((event) => (
            <li key={event.id}>
              <Row event={event} isCurrent={event === open} onOpen={() => change({ event: event.id })} />
            </li>
          ))}
        </ul>
      ) : isFiltered ? (
        <NoMatch onClear={() => change(NO_FILTER)}>No event matches.</NoMatch>
      ) : (
        <Empty>
          Nothing happened in this time: no device went stale or silent, nothing was in trouble, nothing was changed.
        </Empty>
      )}
      <Pager pages={pages} next={isPlaceholderData ? null : data.next} of="events" />
      {open ? <EventSheet event={open} onClose={() => change({ event: null })} /> : null}
    </>
  );
}

interface RowProps {
  readonly event: EventView;
  readonly isCurrent: boolean;
  readonly onOpen: () => void;
}

function Row({ event, isCurrent, onOpen }: RowProps) {
  const { zone } = useZone();
  const now = useNow(event.to === null ? 10_000 : 3_600_000);
  const mark = markOf(event.severity);
  const length = lasted(event, now);
  return (
    <button type="button" className={classes.row} data-current={isCurrent || undefined} onClick={onOpen}>
      <time className={classes.when} dateTime={event.from}>
        {formatMoment(Date.parse(event.from), zone)}
      </time>
      <span className={classes.kind}>{KIND_WORDS[event.kind]}</span>
      <span className={classes.what}>
        {mark === null ? null : <MarkShape mark={mark} />}
        <span>
          <Said text={event.sentence} />
        </span>
      </span>
      <span className={classes.place}>{event.site}</span>
      <span className={classes.lasted} data-open={event.to === null || undefined}>
        {length}
        {event.to === null ? " · still" : ""}
        {event.count > 1 && event.open > 0 && event.open < event.count ? ` ${counted(event.open, "device")}` : ""}
      </span>
    </button>
  );
}
