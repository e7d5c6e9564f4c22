"use client";
import { Button, SegmentedControl, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Fragment, type ReactNode, useState } from "react";
import type { AuditRowView } from "@/server/contracts/access";
import { readable } from "@/server/domain/readable";
import { auditCsv, type AuditFilter, auditQuery } from "../queries/audit";
import { NoMatch } from "../ui/list-page";
import { formatInstant, formatTick, momentOf, wallClock } from "../ui/format";
import { Pager, usePages } from "../ui/pager";
import { StateMark } from "../ui/state-mark";
import { useAddress } from "../ui/url";
import { useZone } from "../ui/zone";
import classes from "./access.module.css";
import { AdminPage, Loaded } from "./admin-page";
import { OUTCOMES, outcomeIn, outcomeOf, toldIn, verbWords } from "./audit-words";

const LIMIT = 50;
const DAY_MS = 86_400_000;

/** Who did what, and what was not allowed. */
export function Audit() {
  const [address, change] = useAddress();
  const filter: AuditFilter = {
    actor: address.get("actor"),
    verb: address.get("verb"),
    target: address.get("target"),
    outcome: outcomeIn(address.get("outcome")),
    from: instantIn(address.get("from")),
    to: instantIn(address.get("to")),
  };
  return (
    <AdminPage title="Audit" what="Seeing who did what">
      {/* Another search begins at its newest row. */}
      <Rows key={JSON.stringify(filter)} filter={filter} change={change} />
    </AdminPage>
  );
}

/** A moment as addresses have it, or null. */
function instantIn(text: string | null): string | null {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}

type Change = (changes: Partial<Record<keyof AuditFilter, string | null>>) => void;

const TEXTS = [
  ["actor", "Who, exactly"],
  ["verb", "What, like addUser"],
  ["target", "Target holds"],
] as const;

const TIMES = [
  ["from", "From"],
  ["to", "Before"],
] as const;

function Filters({ filter, change, children }: { filter: AuditFilter; change: Change; children: ReactNode }) {
  const { zone } = useZone();
  const instantOf = (text: string) => {
    const time = momentOf(text, zone);
    return Number.isNaN(time) ? null : new Date(time).toISOString();
  };
  return (
    <form
      // What the fields hold is of the zone.
      key={zone}
      className={classes.filters}
      role="search"
      aria-label="Search the record"
      onSubmit={(event) => {
        event.preventDefault();
        const form = new FormData(event.currentTarget);
        change({
          ...Object.fromEntries(TEXTS.map(([name]) => [name, String(form.get(name)).trim() || null])),
          ...Object.fromEntries(TIMES.map(([name]) => [name, instantOf(String(form.get(name)))])),
        });
      }}
    >
      {TEXTS.map(([name, label]) => (
        <TextInput
          key={name}
          size="xs"
          name={name}
          aria-label={label}
          placeholder={label}
          defaultValue={filter[name] ?? ""}
          maxLength={200}
          autoComplete="off"
          spellCheck={false}
        />
      ))}
      {TIMES.map(([name, label]) => (
        <TextInput
          key={name}
          size="xs"
          type="datetime-local"
          step={1}
          name={name}
          aria-label={label}
          leftSection={<span className={classes.fieldName}>{label}</span>}
          leftSectionWidth={56}
          defaultValue={filter[name] === null ? "" : wallClock(Date.parse(filter[name]), zone)}
        />
      ))}
      <SegmentedControl
        size="xs"
        aria-label="Outcome"
        value={filter.outcome ?? "all"}
        onChange={(value) => change({ outcome: outcomeIn(value) })}
        data={[
          { value: "all", label: "All" },
          ...Object.entries(OUTCOMES).map(([value, [, label]]) => ({ value, label })),
        ]}
      />
      <Button size="xs" type="submit" variant="default">
        Search
      </Button>
      {children}
    </form>
  );
}

function Rows({ filter, change }: { filter: AuditFilter; change: Change }) {
  const pages = usePages();
  const query = useQuery(auditQuery(filter, pages.cursor, LIMIT));
  const [opened, setOpened] = useState<number | null>(null);
  const isFiltered = Object.values(filter).some((value) => value !== null);
  const clear = () => change({ actor: null, verb: null, target: null, outcome: null, from: null, to: null });
  return (
    <div>
      <Filters filter={filter} change={change}>
        {isFiltered ? (
          <Button size="xs" variant="subtle" onClick={clear}>
            Clear
          </Button>
        ) : null}
        <Button size="xs" variant="default" loading={query.isFetching} onClick={() => void query.refetch()}>
          Load again
        </Button>
        <Button size="xs" variant="default" component="a" href={auditCsv(filter)} download>
          Save as CSV
        </Button>
      </Filters>
      <Loaded query={query} what="the record">
        {({ items, next }) => (
          <>
            {items.length === 0 ? (
              isFiltered ? (
                <NoMatch onClear={clear}>Nothing in the record matches.</NoMatch>
              ) : (
                <p>Nothing is recorded yet.</p>
              )
            ) : (
              <table className={classes.table} aria-label="Record" aria-busy={query.isPlaceholderData}>
                <thead>
                  <tr>
                    <th scope="col">Time</th>
                    <th scope="col">Who</th>
                    <th scope="col">What</th>
                    <th scope="col" className={classes.fromWide}>
                      Target
                    </th>
                    <th scope="col" className={classes.fromWide}>
                      Outcome
                    </th>
                    <th scope="col" className={classes.fromMedium}>
                      From
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {items.map((row) => (
                    <Row
                      key={row.id}
                      row={row}
                      isOpen={opened === row.id}
                      onToggle={() => setOpened((was) => (was === row.id ? null : row.id))}
                      change={change}
                    />
                  ))}
                </tbody>
              </table>
            )}
            <Pager
              pages={pages}
              next={query.isPlaceholderData || next === null ? null : String(next)}
              of="the record"
            />
          </>
        )}
      </Loaded>
    </div>
  );
}

interface RowProps {
  row: AuditRowView;
  isOpen: boolean;
  onToggle: () => void;
  change: Change;
}

function Row({ row, isOpen, onToggle, change }: RowProps) {
  const { zone } = useZone();
  const { id, time, actor, actorKind, verb, target, outcome, address, sealed } = row;
  const [mark, word] = outcomeOf(row);
  const exact = formatInstant(Date.parse(time), zone);
  return (
    <Fragment>
      <tr data-row={id}>
        <td className={classes.time}>
          <button type="button" className={classes.toggle} aria-expanded={isOpen} onClick={onToggle}>
            <time dateTime={time} title={exact}>
              <span className={classes.fromWide}>{exact}</span>
              <span className={classes.narrow}>{formatTick(Date.parse(time), zone, 2 * DAY_MS)}</span>
            </time>
          </button>
        </td>
        <td className={classes.who}>
          {readable(actor)}
          {actorKind === "key" ? <small> key</small> : null}
        </td>
        <td className={classes.who} title={verb}>
          {verbWords(verb)}
          <small className={classes.below}>
            {[target && readable(target), outcome === "done" ? null : word.toLowerCase()].filter(Boolean).join(", ")}
          </small>
        </td>
        <td className={`${classes.fromWide} ${classes.wide}`}>
          {target === null ? <small>none</small> : readable(target)}
        </td>
        <td className={classes.fromWide}>
          <StateMark mark={mark} word={word} />
          {sealed ? null : <small className={classes.unsealed}>not sealed yet</small>}
        </td>
        <td className={`${classes.fromMedium} ${classes.wide}`}>{address ?? <small>this machine</small>}</td>
      </tr>
      {isOpen ? (
        <tr className={classes.detail}>
          <td colSpan={6}>
            <Detail row={row} exact={exact} />
            <span className={classes.barEnd}>
              <Button size="compact-xs" variant="subtle" onClick={() => change({ actor })}>
                All of {readable(actor)}
              </Button>
              <Button size="compact-xs" variant="subtle" onClick={() => change({ verb })}>
                All “{verbWords(verb).toLowerCase()}”
              </Button>
              {target === null ? null : (
                <Button size="compact-xs" variant="subtle" onClick={() => change({ target })}>
                  All about {readable(target)}
                </Button>
              )}
            </span>
          </td>
        </tr>
      ) : null}
    </Fragment>
  );
}

/** What an opened row tells: what changed, and the row itself. */
function Detail({ row, exact }: { row: AuditRowView; exact: string }) {
  const { id, actor, actorKind, actorId, verb, target, outcome, address, attempt, sealed, unsettled } = row;
  const told = toldIn(row.detail);
  const hasBefore = told.some(({ before }) => before !== undefined);
  const facts: [string, ReactNode][] = [
    ["Time", exact],
    ["Who", readable(`${actor}${actorId === null ? "" : ` (${actorKind} ${actorId})`}`)],
    ["Verb", verb],
    ["Target", target && readable(target)],
    ["Outcome", unsettled ? "Not known: whoever did it ended before telling" : OUTCOMES[outcome][1]],
    ["Tried in", attempt === null ? null : `row ${attempt}`],
    ["From", address],
    ["Row", `${id}, ${sealed ? "sealed" : "not sealed yet"}`],
  ];
  return (
    <div className={classes.told}>
      {told.length === 0 ? null : (
        <table aria-label="What changed">
          <thead>
            <tr>
              <th scope="col">What</th>
              {hasBefore ? <th scope="col">Before</th> : null}
              <th scope="col">{hasBefore ? "After" : "Value"}</th>
            </tr>
          </thead>
          <tbody>
            {told.map(({ what, before, after }) => (
              <tr key={what}>
                <th scope="row">{what}</th>
                {hasBefore ? <td>{before ?? <small>–</small>}</td> : null}
                <td>{after ?? <small>–</small>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <dl className={classes.facts}>
        {facts.map(([name, value]) =>
          value === null ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
        )}
      </dl>
    </div>
  );
}
