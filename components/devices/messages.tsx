"use client";
import { readable } from "@/server/domain/readable";
import { SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useMay } from "../queries/access";
import { messagesQuery } from "../queries/device";
import { MayNot } from "../shell/may-not";
import { NotYet } from "../shell/not-yet";
import { formatDuration, formatInstant } from "../ui/format";
import { Section } from "../ui/section";
import { useZone } from "../ui/zone";
import classes from "./messages.module.css";
import { Pager, usePages } from "../ui/pager";
import { prettyJson } from "../ui/pretty-json";

const LIMIT = 10;

/** A device's messages, for those who may see them. */
export function Messages({ id, site }: { id: string; site: string | null }) {
  if (useMay("view-messages", site)) return <Kept id={id} />;
  return (
    <Section title="Messages">
      <MayNot what="Seeing messages as they came" permission="view-messages" site={site} />
    </Section>
  );
}

/** Newest first, exactly as received or with line breaks. */
function Kept({ id }: { id: string }) {
  const { zone } = useZone();
  const pages = usePages();
  const [isPretty, setPretty] = useState(false);
  const { data, error, refetch, isFetching, isPlaceholderData } = useQuery(messagesQuery(id, LIMIT, pages.cursor));
  return (
    <Section
      title="Messages"
      aside={
        <SegmentedControl
          size="xs"
          aria-label="Body"
          value={isPretty ? "pretty" : "exact"}
          onChange={(next) => setPretty(next === "pretty")}
          data={[
            { value: "exact", label: "Exact" },
            { value: "pretty", label: "Pretty" },
          ]}
        />
      }
    >
      {data ? null : (
        <NotYet what="the messages" error={error} onRetry={() => void refetch()} isRetrying={isFetching} rows={5} />
      )}
      {data?.items.length === 0 ? <p className={classes.muted}>No message is kept of this device.</p> : null}
      {data && data.items.length > 0 ? (
        <ol className={classes.messages} aria-busy={isPlaceholderData}>
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
              {isPretty ? (
                <pre>{readable(prettyJson(body))}</pre>
              ) : (
                <code title={readable(body)}>{readable(body)}</code>
              )}
            </li>
          ))}
        </ol>
      ) : null}
      {data ? <Pager pages={pages} next={isPlaceholderData ? null : data.next} of="messages" /> : null}
    </Section>
  );
}
