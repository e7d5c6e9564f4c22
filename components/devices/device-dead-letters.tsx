"use client";
import { useQuery } from "@tanstack/react-query";
import { memo } from "react";
import { NotYet } from "../shell/not-yet";
import { StatusMark } from "../ui/letter-status";
import { useMay } from "../queries/access";
import { deviceDeadLettersQuery } from "../queries/device";
import { MayNot } from "../shell/may-not";
import { Age } from "../ui/age";
import { Section } from "../ui/section";
import classes from "./messages.module.css";
import { Pager, usePages } from "../ui/pager";
import { Link } from "../ui/link";

const LIMIT = 5;

/** A device's dead letters, for those who may see them. */
export const DeviceDeadLetters = memo(function DeviceDeadLetters({ id, site }: { id: string; site: string | null }) {
  if (useMay("view-messages", site)) return <Kept id={id} />;
  return (
    <Section
      title="Dead letters"
      aside={<Link href={`/dead-letters?device=${encodeURIComponent(id)}&status=all`}>Their groups</Link>}
    >
      <MayNot what="Seeing dead letters as they came" permission="view-messages" site={site} />
    </Section>
  );
});

/** What of a device's messages could not become a reading: why, how to mend it, and what was sent. */
function Kept({ id }: { id: string }) {
  const pages = usePages();
  const { data, error, refetch, isFetching, isPlaceholderData } = useQuery(
    deviceDeadLettersQuery(id, LIMIT, pages.cursor),
  );
  return (
    <Section
      title="Dead letters"
      aside={
        data && data.items.length > 0 ? (
          <Link href={`/dead-letters?device=${encodeURIComponent(id)}&status=all`}>All of this device</Link>
        ) : null
      }
    >
      {data ? null : (
        <NotYet what="the dead letters" error={error} onRetry={() => void refetch()} isRetrying={isFetching} rows={2} />
      )}
      {data?.items.length === 0 ? <p className={classes.muted}>None: everything it sent could be read.</p> : null}
      {data && data.items.length > 0 ? (
        <ol className={classes.messages} aria-busy={isPlaceholderData}>
          {data.items.map(({ id, status, title, detail, fix, field, ingestTime, raw, encoding, bytes, resentAs }) => (
            <li key={id}>
              <div className={classes.messageHead}>
                <Link href={`/dead-letters?letter=${encodeURIComponent(id)}`}>{title}</Link>
                <StatusMark status={status} isRefused={resentAs !== null} />
                <span>{field === null ? "the whole message" : `field ${field}`}</span>
                <Age time={ingestTime} />
                {encoding === "base64" ? <span>{bytes} bytes, as base64</span> : null}
              </div>
              <p className={classes.detail}>
                {detail}. <span className={classes.muted}>{fix}</span>
              </p>
              <code title={raw}>{raw}</code>
            </li>
          ))}
        </ol>
      ) : null}
      {data ? <Pager pages={pages} next={isPlaceholderData ? null : data.next} of="dead letters" /> : null}
    </Section>
  );
}
