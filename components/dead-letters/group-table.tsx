"use client";
import type { DeadLetterGroup } from "@/server/contracts/dead-letters";
import { Age } from "../ui/age";
import { BarSparkline } from "../ui/bar-sparkline";
import { formatCount, formatTotal } from "../ui/format";
import { None, SortHead } from "../ui/list-table";
import { PIPELINE_COLORS } from "../ui/theme";
import { OWN_SOURCE } from "@/server/domain/source";
import classes from "./group-table.module.css";
import type { HeldRow } from "./held";
import { type GroupSort, groupName, originOf, type ViewChange } from "./view";

interface GroupTableProps {
  rows: readonly HeldRow<DeadLetterGroup>[];
  sort: GroupSort;
  /** Row the cursor is on; -1 for none. */
  current: number;
  /** Name of the group that is open beside the list. */
  openName: string | null;
  /** True while other groups are on their way. */
  dimmed: boolean;
  hrefOf: (change: ViewChange) => string;
  onSort: (sort: GroupSort) => void;
  onCurrent: (name: string) => void;
  onOpen: (name: string) => void;
}

/** The table of groups, one per row. In a narrow box, device and field stand below the reason and the rest is left to the panel. */
export function GroupTable(props: GroupTableProps) {
  const { rows, sort, current, openName, dimmed, hrefOf, onSort, onCurrent, onOpen } = props;
  return (
    <table className={classes.table} aria-label="Groups of dead letters" data-dimmed={dimmed || undefined}>
      <thead>
        <tr>
          <th scope="col" className={classes.reason}>
            Reason
          </th>
          <th scope="col" className={classes.device}>
            Device
          </th>
          <th scope="col" className={classes.fieldColumn}>
            Field
          </th>
          {/* Most first, or newest first: the other way round nobody looks. */}
          <SortHead
            label="Count"
            order={sort === "count" ? "descending" : null}
            onSort={() => onSort("count")}
            isNumber
            className={classes.count}
          />
          <th scope="col" className={classes.trend}>
            Trend<small>24 h</small>
          </th>
          <th scope="col" className={classes.first}>
            First seen
          </th>
          <SortHead
            label="Last seen"
            order={sort === "lastSeen" ? "descending" : null}
            onSort={() => onSort("lastSeen")}
            isNumber
            className={classes.lastSeen}
          />
          <th scope="col" className={classes.example}>
            Newest
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ item, isGone }, i) => {
          const name = groupName(item);
          return (
            <Row
              key={name}
              group={item}
              isGone={isGone}
              isCurrent={i === current}
              isOpen={name === openName}
              href={hrefOf({ group: name, letter: null })}
              onCurrent={() => onCurrent(name)}
              onOpen={() => onOpen(name)}
            />
          );
        })}
      </tbody>
    </table>
  );
}

interface RowProps {
  group: DeadLetterGroup;
  isGone: boolean;
  isCurrent: boolean;
  isOpen: boolean;
  href: string;
  onCurrent: () => void;
  onOpen: () => void;
}

function Row({ group, isGone, isCurrent, isOpen, href, onCurrent, onOpen }: RowProps) {
  const { title, device, field, count, resends, trend, firstSeen, lastSeen, example, source, mappingVersion } = group;
  // Of what came by the telemetry route nobody asks.
  const origin = source === null || source === OWN_SOURCE ? null : originOf(source, mappingVersion);
  const deviceWord = device ?? "no device";
  const fieldWord = field ?? "whole message";
  const lastDay = trend.reduce((sum, one) => sum + one, 0);
  return (
    <tr
      data-group={groupName(group)}
      data-current={isCurrent || undefined}
      data-open={isOpen || undefined}
      data-gone={isGone || undefined}
      onClick={(event) => {
        // The reason is the link, for keyboards and new tabs; the rest of the row is a larger target for it.
        if (event.ctrlKey || event.metaKey || event.shiftKey || window.getSelection()?.toString()) return;
        event.preventDefault();
        onCurrent();
        onOpen();
      }}
    >
      <td className={classes.reason}>
        <a href={href} onFocus={onCurrent} aria-current={isOpen || undefined}>
          {title}
        </a>
        <span className={classes.below}>
          {device ?? origin ?? deviceWord} · {fieldWord}
        </span>
      </td>
      <td className={classes.device} title={deviceWord}>
        {device ?? <None word="none" />}
      </td>
      <td className={classes.fieldColumn} title={fieldWord}>
        {field ?? <None word="whole message" />}
      </td>
      <td data-number title={resends > 0 ? `Sent again ${formatTotal(resends)} times in all` : undefined}>
        {isGone ? <None word="none left" /> : formatCount(count)}
      </td>
      <td className={classes.trend}>
        <BarSparkline
          values={trend}
          color={PIPELINE_COLORS.deadLetters}
          label={`${formatTotal(lastDay)} in the last 24 hours, ${formatTotal(Math.max(0, ...trend))} in the busiest hour`}
        />
      </td>
      <td className={classes.first}>
        <Age time={firstSeen} />
      </td>
      <td data-number>
        <Age time={lastSeen} />
      </td>
      <td className={classes.example} title={[origin, example].filter((word) => word !== null).join(": ") || undefined}>
        {origin === null ? null : <span className={classes.origin}>{origin}</span>}
        {example}
      </td>
    </tr>
  );
}
