"use client";
import { Button } from "@mantine/core";
import type { ChannelView } from "@/server/contracts/notifications";
import { Age } from "../ui/age";
import { useClock } from "../ui/clock";
import { Empty } from "../ui/feedback";
import { formatTotal, formatUntil } from "../ui/format";
import { None } from "../ui/list-table";
import { Section } from "../ui/section";
import { Spoken } from "../ui/spoken";
import { StateMark } from "../ui/state-mark";
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
    <Section title="Channels" aside={channels.length === 0 ? null : make}>
      {channels.length === 0 ? (
        <Empty action={make}>
          No channel yet, so nobody is told of an alert. A channel is where messages go: a mailbox, a chat, a pager, a
          program.
        </Empty>
      ) : (
        <table className={classes.table} aria-label="Channels">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">State</th>
              <th scope="col" className={classes.age}>
                Last sent
              </th>
              <th scope="col" className={classes.number}>
                Waiting
              </th>
              <th scope="col" className={classes.fromWide}>
                If it can’t be used
              </th>
              <th scope="col" className={classes.actions}>
                <Spoken>Actions</Spoken>
              </th>
            </tr>
          </thead>
          <tbody>
            {channels.map((channel) => (
              <Row
                key={channel.id}
                channel={channel}
                fallback={channels.find(({ id }) => id === channel.fallback)?.name ?? null}
                mayEdit={mayEdit}
                {...actions}
              />
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}

interface RowProps extends Pick<ChannelTableProps, "mayEdit" | "onTest" | "onChange" | "onRemove"> {
  channel: ChannelView;
  fallback: string | null;
}

function Row({ channel, fallback, mayEdit, onTest, onChange, onRemove }: RowProps) {
  const { id, name, title, enabled, failingSince, trouble, nextTryAt, lastOkAt, waiting } = channel;
  const { mark, word } = channelState(channel);
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
              {" since "}
              <Age time={failingSince} />
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
      <td className={classes.actions}>
        {mayEdit ? (
          <>
            <Button size="compact-xs" variant="default" onClick={() => onTest(id)} aria-label={`Test ${name}`}>
              Test…
            </Button>{" "}
            <Button size="compact-xs" variant="default" onClick={() => onChange(id)} aria-label={`Change ${name}`}>
              Change…
            </Button>{" "}
            <Button size="compact-xs" variant="subtle" onClick={() => onRemove(id)} aria-label={`Remove ${name}`}>
              Remove…
            </Button>
          </>
        ) : null}
      </td>
    </tr>
  );
}

/** When it is tried again. */
function Next({ at }: { at: string }) {
  const wait = useClock((now) => formatUntil(Date.parse(at) - now));
  return wait ? <>, tried again {wait}</> : null;
}
