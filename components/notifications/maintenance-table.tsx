"use client";
import { Button } from "@mantine/core";
import type { MaintenanceView } from "@/server/contracts/notifications";
import { formatMoment, zoneName } from "../ui/format";
import { StateMark } from "../ui/state-mark";
import { useZone } from "../ui/zone";
import { ActionTable, RowActions } from "./action-table";
import classes from "./notifications.module.css";
import { coveredWords, recurrenceWords } from "./words";

interface MaintenanceTableProps {
  items: readonly MaintenanceView[];
  mayEdit: boolean;
  onMake: () => void;
  onChange: (item: MaintenanceView) => void;
  onRemove: (item: MaintenanceView) => void;
}

/** Windows that come again, and when they do next in the page's zone. */
export function MaintenanceTable({ items, mayEdit, onMake, onChange, onRemove }: MaintenanceTableProps) {
  const { zone } = useZone();
  const make = mayEdit ? (
    <Button size="compact-sm" variant="default" onClick={onMake}>
      Add maintenance…
    </Button>
  ) : null;
  const columns = [
    { title: "Name" },
    { title: "What" },
    { title: "When" },
    {
      title: (
        <>
          Next <small>{zoneName(zone)}</small>
        </>
      ),
    },
  ];
  return (
    <ActionTable
      title="Maintenance"
      make={make}
      empty="No maintenance. A window that comes again, such as each Saturday night, holds messages back while people work."
      columns={columns}
    >
      {items.map((item) => (
        <tr key={item.id} data-maintenance={item.name} data-off={!item.enabled || undefined}>
          <th scope="row">
            {item.name}
            {item.note === null || item.note === "" ? null : <small className={classes.below}>{item.note}</small>}
          </th>
          <td title={item.words}>{coveredWords(item.matchers)}</td>
          <td className={classes.reason}>
            {recurrenceWords(item.cron, item.minutes)} <small>{item.zone}</small>
          </td>
          <td className={classes.state}>
            {item.enabled ? (
              <>
                {item.now ? (
                  <>
                    <StateMark mark="stale" word="Now" />, until {formatMoment(Date.parse(item.now.to), zone)}
                  </>
                ) : null}
                {item.next.slice(0, item.now ? 1 : 2).map(({ from }) => (
                  <span key={from} className={classes.below}>
                    {formatMoment(Date.parse(from), zone)}
                  </span>
                ))}
              </>
            ) : (
              <StateMark mark="unknown" word="Off" />
            )}
          </td>
          <RowActions
            actions={
              mayEdit
                ? [
                    { does: "Change", of: item.name, act: () => onChange(item) },
                    { does: "Remove", of: item.name, act: () => onRemove(item), isQuiet: true },
                  ]
                : []
            }
          />
        </tr>
      ))}
    </ActionTable>
  );
}
