"use client";
import { useQuery } from "@tanstack/react-query";
import { messagesQuery } from "../queries/devices";
import { adviceOn } from "../queries/request";
import { Failure, Loading } from "../ui/feedback";
import { formatDuration, formatInstant } from "../ui/format";
import { useZone } from "../ui/zone";
import classes from "./device.module.css";

const LIMIT = 10;

/** A device's latest messages, exactly as received. */
export function Messages({ id }: { id: string }) {
  const { zone } = useZone();
  const { data, error, refetch, isFetching } = useQuery(messagesQuery(id, LIMIT));
  if (!data) {
    if (!error) return <Loading rows={5} label="Loading messages" />;
    return (
      <Failure
        what="The messages could not be loaded"
        why={error.message}
        advice={adviceOn(error)}
        onRetry={() => void refetch()}
        retrying={isFetching}
      />
    );
  }
  if (data.items.length === 0) return <p className={classes.muted}>No message is kept of this device.</p>;
  return (
    <ol className={classes.messages}>
      {data.items.map(({ log, partition, offset, eventTime, ingestTime, processedTime, body }) => (
        <li key={`${log} ${partition} ${offset}`}>
          <div className={classes.messageHead}>
            <time dateTime={eventTime} title="Event time, by the device's clock">
              {formatInstant(Date.parse(eventTime), zone)}
            </time>
            <span title={`${log}, partition ${partition}, offset ${offset}`}>
              partition {partition}, offset {offset}
            </span>
            <span title={`Taken in ${formatInstant(Date.parse(ingestTime), zone)}`}>
              stored in {formatDuration(Math.max(0, Date.parse(processedTime) - Date.parse(ingestTime)))}
            </span>
          </div>
          <code title={body}>{body}</code>
        </li>
      ))}
    </ol>
  );
}
