"use client";
import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { QualityAnswer } from "@/server/contracts/quality";
import { counted } from "@/server/domain/counted";
import { ownMember } from "@/server/domain/own-member";
import { queryString } from "../queries/request";
import { worstQuery } from "../queries/quality";
import { NotYet } from "../shell/not-yet";
import { Page } from "../shell/page";
import { QualityPages } from "../shell/sub-pages";
import { CHECKS, type Check } from "../ui/check-words";
import { Empty, StaleNotice } from "../ui/feedback";
import { Link } from "../ui/link";
import { NoMatch } from "../ui/list-page";
import { Pager, usePages } from "../ui/pager";
import { Section } from "../ui/section";
import { useAddress } from "../ui/url";
import classes from "./quality.module.css";
import { Series } from "./series";
import { Sites } from "./sites";

/** How good the readings of the latest day are: sites, and series worst first. */
export function Quality() {
  const [address, change] = useAddress();
  const filter = {
    site: address.get("site"),
    device: address.get("device"),
    check: ownMember(CHECKS, address.get("check") ?? "") ? address.get("check") : null,
  };
  // Another filter is another list, from its first page on.
  return (
    <Page title="Quality">
      <QualityPages />
      <Listed key={JSON.stringify(filter)} filter={filter} change={change} />
    </Page>
  );
}

interface ListedProps {
  filter: { site: string | null; device: string | null; check: string | null };
  change: (changes: Record<string, string | null>) => void;
}

function Listed({ filter, change }: ListedProps) {
  const pages = usePages();
  const { data, error, refetch, isFetching, isPlaceholderData } = useQuery(worstQuery(filter, pages.cursor));
  const isFiltered = Object.values(filter).some((one) => one !== null);
  if (!data)
    return (
      <NotYet
        what="the quality of readings"
        error={error}
        onRetry={() => void refetch()}
        isRetrying={isFetching}
        rows={8}
        height={32}
      />
    );
  if (data.day === null)
    return (
      <Empty action={<Link href="/jobs">See the job that scores them</Link>}>
        Nothing is scored yet: that takes some minutes of readings.
      </Empty>
    );
  return (
    <>
      {error ? (
        <StaleNotice onRetry={() => void refetch()}>These scores may be out of date: {error.message}</StaleNotice>
      ) : null}
      <Sites sites={data.sites} chosen={filter.site} onChoose={(site) => change({ site })} />
      <Section title="Series, worst first" aside={<Filters data={data} filter={filter} change={change} />}>
        <p className={classes.about} role="status">
          {counted(data.series, "series", "series")} on {data.day} (UTC)
          {filter.device === null ? "" : ` of ${filter.device}`}. A score is 100 times the product of its parts; unknown
          is never 100.{" "}
          <a href={`/api/v1/quality/contract${queryString({ site: filter.site ?? "" })}`} download>
            Download the data contract
          </a>
        </p>
        {data.items.length === 0 ? (
          isFiltered ? (
            <NoMatch onClear={() => change({ site: null, device: null, check: null })}>No series matches.</NoMatch>
          ) : (
            <Empty>No series on this day.</Empty>
          )
        ) : (
          <Series items={data.items} isBusy={isPlaceholderData} />
        )}
        <Pager pages={pages} next={isPlaceholderData ? null : data.next} of="series" words={["Worse", "Better"]} />
      </Section>
    </>
  );
}

function Filters({ data, filter, change }: ListedProps & { data: QualityAnswer }) {
  const sites = data.sites.flatMap(({ site }) => site ?? []);
  return (
    <div className={classes.filters}>
      <NativeSelect
        size="xs"
        aria-label="Site"
        value={filter.site ?? ""}
        onChange={({ currentTarget }) => change({ site: currentTarget.value || null })}
        data={[{ value: "", label: "All sites" }, ...[...sites].sort()]}
      />
      <NativeSelect
        size="xs"
        aria-label="Flagged by"
        value={filter.check ?? ""}
        onChange={({ currentTarget }) => change({ check: currentTarget.value || null })}
        data={[
          { value: "", label: "Flagged or not" },
          ...(Object.keys(CHECKS) as Check[]).map((check) => ({ value: check, label: CHECKS[check].title })),
        ]}
      />
    </div>
  );
}
