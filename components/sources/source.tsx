"use client";
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import type { SourceDetail } from "@/server/contracts/sources";
import { counted } from "@/server/domain/counted";
import { readable } from "@/server/domain/readable";
import { useMay } from "../queries/access";
import { RequestError, saidOf } from "../queries/request";
import { changeSource, SOURCES, sourceQuery, templatesQuery } from "../queries/sources";
import { NotYet } from "../shell/not-yet";
import { Page } from "../shell/page";
import { Age } from "../ui/age";
import { useNow } from "../ui/clock";
import { Empty, Failure, StaleNotice } from "../ui/feedback";
import form from "../ui/form.module.css";
import { Link } from "../ui/link";
import { Section } from "../ui/section";
import { StateMark } from "../ui/state-mark";
import { Arrived } from "./arrived";
import { Counters } from "./counters";
import { DoorTrouble } from "./door-state";
import { Handshakes } from "./handshakes";
import { RemoveSource } from "./remove-source";
import { Samples } from "./samples";
import { Settings } from "./settings";
import { Setup } from "./setup";
import { SourceKeys } from "./source-keys";
import classes from "./sources.module.css";
import { STANDINGS, standingOf } from "./standing";

/** One source: how it stands, what came of what it sent, and how it is read. */
export function Source({ name }: { name: string }) {
  const { data, error, refetch, isFetching } = useQuery(sourceQuery(name));
  const title = (
    <>
      <Link href="/sources">Sources</Link>
      <span aria-hidden="true">/</span>
      {name}
    </>
  );
  if (!data) {
    const isMissing = error instanceof RequestError && error.status === 404;
    return (
      <Page title={title} tab={name}>
        {isMissing ? (
          <Empty action={<Link href="/sources">See all sources</Link>}>There is no source named {name}.</Empty>
        ) : (
          <NotYet
            what={`the source ${name}`}
            error={error}
            onRetry={() => void refetch()}
            isRetrying={isFetching}
            rows={4}
            height={56}
          />
        )}
      </Page>
    );
  }
  return (
    <Page title={title} tab={name}>
      {error ? (
        <StaleNotice onRetry={() => void refetch()}>This source may be out of date: {error.message}</StaleNotice>
      ) : null}
      <Whole detail={data} />
    </Page>
  );
}

function Whole({ detail }: { detail: SourceDetail }) {
  const { source, mapping, openDeadLetters, handshakes } = detail;
  const mayEdit = useMay("edit", source.site) && !source.isBuiltIn;
  const maySeeKeys = useMay("make-keys", source.site) && !source.isBuiltIn;
  const maySeeMessages = useMay("view-messages", source.site);
  const isWaiting = source.counts.received === 0;
  const isHeard = source.door.type === "http" || source.door.type === "mqtt";
  return (
    <>
      <Facts detail={detail} mayEdit={mayEdit} />
      {isWaiting ? null : <DoorTrouble detail={detail} />}
      <Handshakes name={source.name} handshakes={handshakes} />
      {isWaiting && !source.isBuiltIn ? (
        <Section title="Connect its sender">
          <Setup source={source} secret={null} />
          <Arrived name={source.name} />
        </Section>
      ) : null}
      <Counters source={source} openDeadLetters={openDeadLetters} mayTry={mayEdit} />
      <Section
        title="Mapping"
        aside={
          mayEdit ? (
            <Link className={classes.buttonLink} href={`/sources/${source.name}/mapping`}>
              See and edit
            </Link>
          ) : null
        }
      >
        <p className={classes.line}>
          Version {mapping.version} <small>by {readable(mapping.madeBy)}, </small>
          <small>
            <Age time={mapping.createdAt} />
          </small>
          {mapping.note === null ? null : <small>: {readable(mapping.note)}</small>}
        </p>
        {source.isBuiltIn ? (
          <p className={classes.about}>It takes Fieldwatch’s own shape, and can’t be changed.</p>
        ) : openDeadLetters > 0 ? (
          <p className={classes.line}>
            <Link href={`/dead-letters?source=${source.name}`}>
              {openDeadLetters >= 1000 ? "1,000 or more dead letters" : counted(openDeadLetters, "dead letter")}
            </Link>{" "}
            <small>of it {openDeadLetters === 1 ? "is" : "are"} open; a resend goes by the mapping as it is now.</small>
          </p>
        ) : null}
      </Section>
      {maySeeMessages && !source.isBuiltIn ? <Samples source={source} mayTry={mayEdit} /> : null}
      {maySeeKeys && isHeard ? <SourceKeys source={source} /> : null}
      {!isWaiting && !source.isBuiltIn && isHeard && maySeeKeys ? (
        <Section title="Connect another sender">
          <Setup source={source} secret={null} />
        </Section>
      ) : null}
      <Settings source={source} mayEdit={mayEdit} />
    </>
  );
}

function Facts({ detail: { source, doors }, mayEdit }: { detail: SourceDetail; mayEdit: boolean }) {
  const { counts, title, kind, site, enabled } = source;
  const { data: templates } = useQuery(templatesQuery());
  const now = useNow(5000);
  const standing = standingOf(source, now, doors.every(({ trouble }) => trouble !== null) ? doors[0]?.trouble : null);
  const { mark, word, about } = STANDINGS[standing];
  const facts: readonly (readonly [string, ReactNode])[] = [
    ["State", <StateMark key="state" mark={mark} word={word} title={about} />],
    ["Last seen", counts.lastSeen === null ? "never" : <Age key="last" time={counts.lastSeen} />],
    ["First seen", counts.firstSeen === null ? "never" : <Age key="first" time={counts.firstSeen} />],
    ["Kind", templates?.items.find((template) => template.kind === kind)?.title ?? kind],
    ["Site", site === null ? "any" : readable(site)],
    ...(title === null ? [] : [["Title", readable(title)] as const]),
    ...(doors.length === 0 ? [] : [["Door", readable(doors[0]!.what)] as const]),
    ...(counts.clients === null ? [] : [["Connected", counted(counts.clients, "client")] as const]),
  ];
  return (
    <div className={classes.head}>
      <dl className={classes.facts}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {mayEdit ? <Actions source={source} enabled={enabled} /> : null}
    </div>
  );
}

function Actions({
  source: { name, revision, counts },
  enabled,
}: {
  source: SourceDetail["source"];
  enabled: boolean;
}) {
  const queries = useQueryClient();
  const [isRemoving, setRemoving] = useState(false);
  const turn = useMutation({
    mutationFn: () => changeSource(name, { revision, enabled: !enabled }),
    onSettled: () => queries.invalidateQueries({ queryKey: [SOURCES] }),
  });
  return (
    <div>
      <div className={form.buttons}>
        <Button size="xs" variant="default" loading={turn.isPending} onClick={() => turn.mutate()}>
          {enabled ? "Disable" : "Enable"}
        </Button>
        <Button size="xs" variant="default" onClick={() => setRemoving(true)}>
          Remove…
        </Button>
      </div>
      {turn.error ? (
        <Failure
          what={enabled ? "It may still be enabled" : "It may still be disabled"}
          why={saidOf(turn.error)}
          advice="What is shown here was loaded again; try again if it is still so."
        />
      ) : null}
      {isRemoving ? <RemoveSource name={name} counts={counts} onClose={() => setRemoving(false)} /> : null}
    </div>
  );
}
