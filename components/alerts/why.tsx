"use client";
import { Autocomplete, Button, Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { WhyAnswer } from "@/server/contracts/why";
import { toSegment } from "@/server/domain/segment";
import { deviceSearchQuery } from "../queries/devices";
import { adviceOn, RequestError, saidOf } from "../queries/request";
import { rulesQuery } from "../queries/rules";
import { type WhyAsked, whyQuery } from "../queries/why";
import { AlertPages } from "../shell/alert-pages";
import { Page } from "../shell/page";
import { Empty, Failure, Loading } from "../ui/feedback";
import { formatInstant, formatMoment, momentOf, wallClock, zoneName } from "../ui/format";
import { Link } from "../ui/link";
import { Section } from "../ui/section";
import { type AddressChanges, useAddress } from "../ui/url";
import { useZone } from "../ui/zone";
import { useSpecs } from "./use-specs";
import { WhyChart } from "./why-chart";
import { WhyFigures } from "./why-figures";
import classes from "./why.module.css";

/** Why a rule told of a device at a moment, or why it didn't. */
export function Why() {
  const [address, change] = useAddress();
  const { zone } = useZone();
  const [rule, device] = [address.get("rule"), address.get("device") ?? undefined];
  const specs = useSpecs();
  const isOfPipeline = rule !== null && specs(Number(rule))?.kind === "pipeline";
  const asked: WhyAsked | null =
    rule && (device || isOfPipeline)
      ? {
          ...{ rule, at: address.get("at") ?? undefined },
          ...(isOfPipeline ? {} : { device, metric: address.get("metric") ?? undefined }),
        }
      : null;
  const { data, error, refetch, isFetching } = useQuery(whyQuery(asked, zoneName(zone)));
  const isWrong = error instanceof RequestError && (error.status === 404 || error.status === 400);
  return (
    <Page title="Why" isOfAlerts>
      <AlertPages />
      <Question
        key={address.toString()}
        address={address}
        onAsk={(changes) => change(changes, "push")}
        busy={isFetching}
      />
      {asked === null ? (
        <Empty>
          Choose a rule and a device: the answer says why it fired, or why it didn’t, with the number. A rule about the
          pipeline takes no device.
        </Empty>
      ) : null}
      {isWrong ? <Empty>{saidOf(error)}</Empty> : null}
      {error && !isWrong ? (
        <Failure
          what="The reason could not be found"
          why={error.message}
          advice={adviceOn(error)}
          onRetry={() => void refetch()}
          retrying={isFetching}
        />
      ) : null}
      {asked !== null && !data && !error ? <Loading rows={6} height={44} label="Finding the reason" /> : null}
      {data && asked !== null && !error ? <Answer why={data} /> : null}
    </Page>
  );
}

interface QuestionProps {
  readonly address: URLSearchParams;
  readonly busy: boolean;
  readonly onAsk: (changes: AddressChanges) => void;
}

/** The form of the question; what the address says is in it. */
function Question({ address, busy, onAsk }: QuestionProps) {
  const { zone } = useZone();
  const [rule, setRule] = useState(address.get("rule"));
  const [device, setDevice] = useState(address.get("device") ?? "");
  const given = Date.parse(address.get("at") ?? "");
  const [at, setAt] = useState(Number.isNaN(given) ? "" : wallClock(given, zone));
  const { data: rules } = useQuery(rulesQuery());
  const { data: found } = useQuery(deviceSearchQuery(device));
  const isOfPipeline = rules?.find(({ id }) => String(id) === rule)?.spec.kind === "pipeline";
  const choices = (rules ?? []).map(({ id, name }) => ({ value: String(id), label: name }));
  return (
    <form
      className={classes.question}
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        const moment = at === "" ? NaN : momentOf(at, zone);
        onAsk({
          rule,
          device: isOfPipeline ? null : device.trim(),
          at: Number.isNaN(moment) ? null : new Date(moment).toISOString(),
          metric: null,
        });
      }}
    >
      <Select
        label="Rule"
        placeholder="Choose a rule"
        size="sm"
        data={choices}
        value={rule}
        onChange={setRule}
        searchable
        nothingFoundMessage="No such rule"
      />
      <Autocomplete
        label="Device"
        placeholder={isOfPipeline ? "None: it is about the pipeline" : "Name of a device"}
        size="sm"
        disabled={isOfPipeline}
        data={[...new Set((found?.items ?? []).map(({ id }) => id))]}
        filter={({ options }) => options}
        value={isOfPipeline ? "" : device}
        onChange={setDevice}
        maxDropdownHeight={280}
      />
      <TextInput
        label={`Time, ${zoneName(zone)}`}
        description={null}
        type="datetime-local"
        step={1}
        size="sm"
        value={at}
        onChange={(event) => setAt(event.currentTarget.value)}
      />
      <Button type="submit" size="sm" loading={busy} disabled={!rule || (!isOfPipeline && device.trim() === "")}>
        Ask why
      </Button>
      <p className={classes.hint}>{at === "" ? "Without a time it is about the last hour." : ""}</p>
    </form>
  );
}

function Answer({ why }: { why: WhyAnswer }) {
  const { sentence, rule, device, metric, alert, reason, figures, steps, from, to } = why;
  const { zone } = useZone();
  const moment = (time: string) => formatInstant(Date.parse(time), zone);
  return (
    <>
      <p className={classes.sentence} data-kind={reason.kind} aria-live="polite">
        {sentence}
      </p>
      <p className={classes.about}>
        <Link href={`/alerts/rules`}>{rule.name}</Link>
        {device === null ? null : (
          <>
            {" on "}
            <Link href={`/devices/${toSegment(device)}`}>{device}</Link>
          </>
        )}
        {", "}
        {formatMoment(Date.parse(from), zone)} to {formatMoment(Date.parse(to), zone)}
        {alert === null ? null : (
          <>
            {". "}
            <Link href={`/alerts/${alert}`}>Alert {alert}</Link>
          </>
        )}
      </p>
      <p className={classes.rule}>{rule.sentence}</p>
      {figures === null || figures.length === 0 || rule.spec.kind !== "pipeline" ? null : (
        <Section title="Now">
          <WhyFigures figures={figures} spec={rule.spec} />
        </Section>
      )}
      {metric === null || device === null ? null : (
        <Section title={metric}>
          <WhyChart why={why} device={device} metric={metric} />
        </Section>
      )}
      {steps.length === 0 ? null : (
        <Section title="Step by step">
          <ol className={classes.steps}>
            {steps.map(({ at, words }, i) => (
              <li key={i} data-decisive={at === reason.at || undefined}>
                <time dateTime={at}>{moment(at)}</time>
                <span>{words}</span>
              </li>
            ))}
          </ol>
        </Section>
      )}
    </>
  );
}
