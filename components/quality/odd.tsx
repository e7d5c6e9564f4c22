"use client";
import { Anchor, SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { OddAnswer } from "@/server/contracts/odd";
import { counted } from "@/server/domain/counted";
import { readable } from "@/server/domain/readable";
import { ownMember } from "@/server/domain/own-member";
import { type OddFilter, oddQuery } from "../queries/odd";
import { NotYet } from "../shell/not-yet";
import { Page } from "../shell/page";
import { QualityPages } from "../shell/sub-pages";
import { Empty, StaleNotice } from "../ui/feedback";
import { NoMatch } from "../ui/list-page";
import { Pager, usePages } from "../ui/pager";
import { Section } from "../ui/section";
import { Since } from "../ui/since";
import { useAddress } from "../ui/url";
import { OddGroups } from "./odd-groups";
import { OddRows } from "./odd-rows";
import classes from "./odd.module.css";

const STATES = { now: "Now", day: "Last 24 h", week: "Last 7 days" } as const;
/** Those of the past are with what still goes on. */
const IN = { now: "now", day: "in the last 24 h", week: "in the last 7 days" } as const;

/** Series that are farther from their own usual than before, the oddest first. */
export function Odd() {
  const [address, change] = useAddress();
  const state = address.get("state") ?? "now";
  const filter: OddFilter = {
    state: ownMember(STATES, state) ? (state as keyof typeof STATES) : "now",
    site: address.get("site"),
    device: address.get("device"),
  };
  return (
    <Page title="Odd now">
      <QualityPages />
      <Listed key={JSON.stringify(filter)} filter={filter} change={change} />
    </Page>
  );
}

interface ListedProps {
  readonly filter: OddFilter;
  readonly change: (changes: Record<string, string | null>) => void;
}

function Listed({ filter, change }: ListedProps) {
  const pages = usePages();
  const { data, error, refetch, isFetching, isPlaceholderData } = useQuery(oddQuery(filter, pages.cursor));
  if (!data)
    return (
      <NotYet
        what="what is odd"
        error={error}
        onRetry={() => void refetch()}
        isRetrying={isFetching}
        rows={6}
        height={56}
      />
    );
  const isFiltered = filter.site !== null || filter.device !== null;
  return (
    <>
      {error ? (
        <StaleNotice onRetry={() => void refetch()}>This list may be out of date: {error.message}</StaleNotice>
      ) : null}
      <Section
        title={`Odd ${IN[filter.state]}, the oddest first`}
        aside={
          <SegmentedControl
            size="xs"
            aria-label="When"
            value={filter.state}
            onChange={(value) => change({ state: value === "now" ? null : value })}
            data={Object.entries(STATES).map(([value, label]) => ({ value, label }))}
          />
        }
      >
        {isFiltered ? (
          <p className={classes.about}>
            Only of {filter.device ?? readable(filter.site!)}.{" "}
            <Anchor component="button" type="button" size="xs" onClick={() => change({ site: null, device: null })}>
              Show all
            </Anchor>
          </p>
        ) : null}
        <p className={classes.about} role="status">
          {data.total === 0
            ? null
            : `${counted(data.total, "stretch", "stretches")}${data.groups.length === 0 ? "" : " besides"}, farther from their usual than before. `}
          Nobody is told of them but by an alert rule. <Precision said={data.said} />
        </p>
        {data.groups.length > 0 ? <OddGroups groups={data.groups} change={change} /> : null}
        {data.items.length > 0 ? (
          <OddRows items={data.items} isBusy={isPlaceholderData} />
        ) : data.groups.length > 0 || pages.cursor !== null ? null : isFiltered ? (
          <NoMatch onClear={() => change({ site: null, device: null })}>No odd series matches.</NoMatch>
        ) : (
          <Nothing data={data} state={filter.state} />
        )}
        <Pager pages={pages} next={isPlaceholderData ? null : data.next} of="series" words={["Odder", "Less odd"]} />
      </Section>
    </>
  );
}

/** How right it was, by what people said. */
function Precision({ said: { real, normal } }: Pick<OddAnswer, "said">) {
  if (real + normal === 0) return null;
  return (
    <>
      Of {counted(real + normal, "that people judged", "that people judged")}, {real} {real === 1 ? "was" : "were"}{" "}
      real.
    </>
  );
}

function Nothing({ data: { devices, warm, firstAt }, state }: { data: OddAnswer; state: OddFilter["state"] }) {
  if (devices === 0)
    return <Empty>No series is followed yet: that begins some minutes after a device sends its first number.</Empty>;
  if (warm === 0)
    return (
      <Empty>
        Nothing can be odd yet: a series has to be known for a day, and for 100 steps of five minutes.
        {firstAt === null ? null : (
          <>
            {" "}
            The first can be from <Since time={firstAt} /> on.
          </>
        )}
      </Empty>
    );
  return (
    <Empty>
      Nothing {state === "now" ? "is" : "was"} odd: the series of {counted(warm, "device")}{" "}
      {state === "now" ? "are" : "were"} within what is usual for them.
    </Empty>
  );
}
