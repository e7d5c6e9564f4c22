"use client";
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { RetentionAnswer } from "@/server/contracts/retention";
import { counted } from "@/server/domain/counted";
import { keptWords } from "@/server/domain/kept-words";
import { useMayEverywhere } from "../queries/access";
import { retentionQuery } from "../queries/retention";
import { NotYet } from "../shell/not-yet";
import { OfAllSites } from "../shell/of-all-sites";
import { Page } from "../shell/page";
import { RetentionPages } from "../shell/sub-pages";
import { Age } from "../ui/age";
import { useClock } from "../ui/clock";
import { StaleNotice } from "../ui/feedback";
import { formatInstant, formatUntil } from "../ui/format";
import { Section } from "../ui/section";
import { useZone } from "../ui/zone";
import { Bytes } from "./bytes";
import { Change } from "./change";
import { Erasures } from "./erasures";
import classes from "./retention.module.css";
import { Rules } from "./rules";
import { KINDS, OTHERS } from "./words";

type Item = RetentionAnswer["items"][number];

/** How long readings and their rollups are kept, how much there is of each, and what goes when. */
export function Retention() {
  return (
    <OfAllSites title="Retention" what="Seeing how long readings are kept">
      <Whole />
    </OfAllSites>
  );
}

function Whole() {
  const { data, error, refetch, isFetching } = useQuery(retentionQuery());
  const mayChange = useMayEverywhere("administer");
  const [changed, setChanged] = useState<Item["keeps"] | null>(null);
  if (!data)
    return (
      <Page title="Retention">
        <RetentionPages />
        <NotYet
          what="what is kept"
          error={error}
          onRetry={() => void refetch()}
          isRetrying={isFetching}
          rows={6}
          height={48}
        />
      </Page>
    );
  const item = data.items.find(({ keeps }) => keeps === changed);
  return (
    <Page title="Retention">
      <RetentionPages />
      {error ? (
        <StaleNotice onRetry={() => void refetch()}>
          This is from <Age time={data.time} />: {error.message}
        </StaleNotice>
      ) : null}
      <p className={classes.about}>Whole months go, so everything is kept for its days and up to a month longer.</p>
      <Section title="Readings and rollups">
        <ul className={classes.kinds}>
          {data.items.map((one) => (
            <Kind
              key={one.keeps}
              item={one}
              cold={one.keeps === "raw" && data.cold.months > 0 ? data.cold : null}
              onChange={mayChange ? () => setChanged(one.keeps) : null}
            />
          ))}
        </ul>
      </Section>
      <Rules data={data} mayChange={mayChange} />
      {data.others.length === 0 ? null : (
        <Section title="Also in PostgreSQL">
          <ul className={classes.kinds}>
            {data.others.map(({ what, days, setting, bytes }) => (
              <li key={what} className={classes.kind}>
                <div className={classes.what}>
                  <h3>{OTHERS[what]}</h3>
                </div>
                <div className={classes.cell}>
                  <span>{keptWords(days)}</span>
                  <small>{setting}</small>
                </div>
                <div className={classes.size}>
                  <Bytes bytes={bytes} />
                </div>
              </li>
            ))}
          </ul>
        </Section>
      )}
      {mayChange ? <Erasures /> : null}
      {item ? (
        <Change key={item.keeps} item={item} leastDays={data.leastDays} onClose={() => setChanged(null)} />
      ) : null}
    </Page>
  );
}

interface KindProps {
  item: Item;
  /** What of it lies in cold storage. */
  cold: RetentionAnswer["cold"] | null;
  onChange: (() => void) | null;
}

function Kind({ item, cold, onChange }: KindProps) {
  const { keeps, days, changedAt, oldest, bytes } = item;
  const { title, about } = KINDS[keeps];
  return (
    <li className={classes.kind} data-keeps={keeps}>
      <div className={classes.what}>
        <h3>{title}</h3>
        <p>{about}</p>
        {cold ? (
          <p>
            {counted(cold.months, "month")} in cold storage, <Bytes bytes={cold.bytes} />
          </p>
        ) : null}
      </div>
      <div className={classes.cell}>
        <span>{keptWords(days)}</span>
        <small>
          {changedAt === null ? (
            "READINGS_RETENTION_DAYS"
          ) : (
            <>
              set <Age time={changedAt} />
            </>
          )}
        </small>
      </div>
      <div className={classes.cell}>
        <span>{oldest === null ? "nothing yet" : <>since {<Day time={oldest} />}</>}</span>
        <small>
          <Next item={item} />
        </small>
      </div>
      <div className={classes.size}>
        <Bytes bytes={bytes} />
      </div>
      {onChange ? (
        <div className={classes.actions}>
          <Button
            size="compact-xs"
            variant="default"
            aria-label={`Change: ${title}, kept ${keptWords(days)}`}
            onClick={onChange}
          >
            Change
          </Button>
        </div>
      ) : null}
    </li>
  );
}

/** When the oldest month goes; where none does, what is not taken any more. */
function Next({ item: { nextMonth, goneBefore } }: { item: Item }) {
  const wait = useClock((now) => (nextMonth === null ? "" : formatUntil(Date.parse(nextMonth) - now)));
  if (wait) return `the oldest month goes ${wait === "now" ? "at the next run" : wait}`;
  if (goneBefore === null) return null;
  return (
    <>
      nothing before <Day time={goneBefore} />
    </>
  );
}

function Day({ time }: { time: string }) {
  const { zone } = useZone();
  const whole = formatInstant(Date.parse(time), zone);
  return (
    <time dateTime={time} title={whole}>
      {whole.slice(0, 10)}
    </time>
  );
}
