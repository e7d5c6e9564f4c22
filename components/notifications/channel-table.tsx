"use client";
import { Button } from "@mantine/core";
import type { ChannelView } from "@/server/contracts/notifications";
import { Age } from "../ui/age";
import { useClock } from "../ui/clock";
import { formatMoment, formatTotal, formatUntil } from "../ui/format";
import { None } from "../ui/list-table";
import { StateMark } from "../ui/state-mark";
import { useZone } from "../ui/zone";
import { ActionTable, RowActions } from "./action-table";
import classes from "./notifications.module.css";
import { channelState } from "./words";

interface ChannelTableProps {
  channels: readonly ChannelView[];
  mayEdit: boolean;
  onMake: () => void;
  onTest: (id: number) => void;
  onChange: (id: number) => void;
  onRemove: (id: number) => void;
}

/** Every channel, how it does, and what can be done with it. */
export function ChannelTable({ channels, mayEdit, onMake, ...actions }: ChannelTableProps) {
  const make = mayEdit ? (
    <Button size="compact-sm" onClick={onMake}>
      Add a channel…
    </Button>
  ) : null;
  return (
    <ActionTable
      title="Channels"
      make={make}
      empty={
        "No channel yet, so nobody is told of an alert. A channel is where messages go: a mailbox, a chat, a pager, a program."
      }
      columns={COLUMNS}
    >
      {channels.map((channel) => (
        <Row
          key={channel.id}
          channel={channel}
          fallback={channels.find(({ id }) => id === channel.fallback)?.name ?? null}
          mayEdit={mayEdit}
          {...actions}
        />
      ))}
    </ActionTable>
  );
}

const COLUMNS = [
  { title: "Name" },
  { title: "State" },
  { title: "Last sent", kind: "age" },
  { title: "Waiting", kind: "number" },
  { title: "If it can’t be used", kind: "fromWide" },
] as const;

interface RowProps extends Pick<ChannelTableProps, "mayEdit" | "onTest" | "onChange" | "onRemove"> {
  channel: ChannelView;
  fallback: string | null;
}

function Row({ channel, fallback, mayEdit, onTest, onChange, onRemove }: RowProps) {
  const { id, name, title, enabled, failingSince, trouble, nextTryAt, lastOkAt, waiting } = channel;
  const { mark, word } = channelState(channel);
  const { zone } = useZone();
  return (
    <tr data-channel={name} data-off={!enabled || undefined}>
      <th scope="row">
        {name} <small>{title}</small>
      </th>
      <td className={classes.state}>
        <span>
          <StateMark mark={mark} word={word} />
          {failingSince === null || !enabled ? null : (
            <small>
              {` since ${formatMoment(Date.parse(failingSince), zone)}`}
              {nextTryAt === null ? null : <Next at={nextTryAt} />}
            </small>
          )}
        </span>
        {trouble === null || !enabled ? null : <small className={classes.trouble}>{trouble}</small>}
      </td>
      <td className={classes.age} data-label="Last sent">
        {lastOkAt === null ? <None word="never" /> : <Age time={lastOkAt} />}
      </td>
      <td className={classes.number} data-label="Waiting">
        {waiting === 0 ? <None word="0" /> : formatTotal(waiting)}
      </td>
      <td className={classes.fromWide}>{fallback === null ? <None word="nobody is told" /> : `${fallback} is told`}</td>
      <RowActions
        actions={
          mayEdit
            ? [
                { does: "Test", of: name, act: () => onTest(id) },
                { does: "Change", of: name, act: () => onChange(id) },
                { does: "Remove", of: name, act: () => onRemove(id), isQuiet: true },
              ]
            : []
        }
      />
    </tr>
  );
}

/** When it is tried again. */
function Next({ at }: { at: string }) {
  const wait = useClock((now) => formatUntil(Date.parse(at) - now));
  return wait ? <>, tried again {wait}</> : null;
}
