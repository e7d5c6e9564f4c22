"use client";
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { auditCsv, type AuditFilter, auditQuery } from "../queries/audit";
import { NoMatch } from "../ui/list-page";
import { Pager, usePages } from "../ui/pager";
import { useAddress } from "../ui/url";
import classes from "./access.module.css";
import { AdminPage, Loaded } from "./admin-page";
import { type Change, Filters } from "./audit-filters";
import { Row } from "./audit-row";
import { outcomeIn } from "./audit-words";

const LIMIT = 50;

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
