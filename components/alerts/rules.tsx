"use client";
import { Button, FileButton } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { useState } from "react";
import type { AlertRule, RuleEpisodes } from "@/server/contracts/rules";
import { READY_RULES, type ReadyRule } from "@/server/domain/alerts/ready-rules";
import { sentenceOf } from "@/server/domain/alerts/sentence";
import { counted } from "@/server/domain/counted";
import { useMayEverywhere } from "../queries/access";
import { adviceOn, saidOf } from "../queries/request";
import { whyAddress } from "../queries/why";
import { silencesQuery } from "../queries/notifications";
import {
  addRule,
  changeRule,
  ruleEpisodesQuery,
  ruleMatchesQuery,
  RULES,
  RULES_FILE,
  rulesQuery,
} from "../queries/rules";
import { AlertPages } from "../shell/alert-pages";
import { OfAllSites } from "../shell/of-all-sites";
import { Page } from "../shell/page";
import { Age } from "../ui/age";
import { BarSparkline } from "../ui/bar-sparkline";
import { Empty, Failure, Loading, StaleNotice } from "../ui/feedback";
import { formatTotal } from "../ui/format";
import { Link } from "../ui/link";
import { StateMark } from "../ui/state-mark";
import { useAddress } from "../ui/url";
import { draftInAddress, NO_DRAFT } from "./draft";
import { ImportRules } from "./import-rules";
import { History, RemoveRule } from "./rule-dialogs";
import classes from "./rules.module.css";

const RuleEditor = dynamic(() => import("./rule-editor").then((editor) => editor.RuleEditor), { ssr: false });

/** What is open over the list. */
type Opened =
  | { readonly what: "edit" | "history" | "remove"; readonly rule: AlertRule }
  | { readonly what: "import"; readonly file: File };

/** What alerts are decided by: each rule as a sentence, with what it watches. */
export function Rules() {
  return (
    <OfAllSites title="Rules" what="Seeing rules">
      <List />
    </OfAllSites>
  );
}

function List() {
  const { data, error, refetch, isFetching } = useQuery(rulesQuery());
  const mayEdit = useMayEverywhere("edit");
  const { data: episodes } = useQuery(ruleEpisodesQuery());
  const [address, changeAddress] = useAddress();
  const [opened, setOpened] = useState<Opened | null>(null);
  const all = episodes?.reduce((sum, { days }) => sum + total(days), 0) ?? 0;
  const close = () => setOpened(null);
  return (
    <Page title="Rules">
      <AlertPages />
      {!data && error ? (
        <Failure
          what="The rules could not be loaded"
          why={error.message}
          advice={adviceOn(error)}
          onRetry={() => void refetch()}
          retrying={isFetching}
        />
      ) : null}
      {!data && !error ? <Loading rows={5} height={64} label="Loading the rules" /> : null}
      {data && error ? (
        <StaleNotice onRetry={() => void refetch()}>These rules may be out of date: {error.message}</StaleNotice>
      ) : null}
      {data ? (
        <div>
          <div className={classes.bar}>
            <p>
              {data.length === 0 ? "" : told(data)}
              <Hiding />
            </p>
            {data.length > 0 ? (
              <Button size="compact-sm" variant="default" component="a" href={RULES_FILE} download="alert-rules.json">
                Export
              </Button>
            ) : null}
            {mayEdit ? (
              <>
                <FileButton
                  accept="application/json,.json"
                  onChange={(file) => (file ? setOpened({ what: "import", file }) : undefined)}
                >
                  {(props) => (
                    <Button size="compact-sm" variant="default" {...props}>
                      Import…
                    </Button>
                  )}
                </FileButton>
                <Button size="compact-sm" onClick={() => changeAddress({ new: "1" }, "push")}>
                  New rule…
                </Button>
              </>
            ) : null}
          </div>
          {data.length === 0 ? <Ready mayEdit={mayEdit} /> : null}
          <ul className={classes.rules} aria-label="Rules" hidden={data.length === 0}>
            {data.map((rule) => (
              <Rule
                key={rule.id}
                rule={rule}
                days={episodes && daysOf(episodes, rule.id)}
                all={all}
                mayEdit={mayEdit}
                onOpen={(what) => setOpened({ what, rule })}
              />
            ))}
          </ul>
        </div>
      ) : null}
      {mayEdit && address.get("new") !== null ? (
        <RuleEditor
          rule={null}
          first={draftInAddress(address)}
          triedOn={address.get("on")}
          onClose={() => changeAddress(NO_DRAFT)}
        />
      ) : null}
      {opened?.what === "edit" ? <RuleEditor rule={opened.rule} onClose={close} /> : null}
      {opened?.what === "history" ? <History rule={opened.rule} onClose={close} /> : null}
      {opened?.what === "remove" ? <RemoveRule rule={opened.rule} onClose={close} /> : null}
      {opened?.what === "import" ? <ImportRules file={opened.file} onClose={close} /> : null}
    </Page>
  );
}

/** Silences that keep something back that fires: a way in which a rule does nothing. */
function Hiding() {
  const { data } = useQuery(silencesQuery());
  const hiding = data?.filter(({ state, hides }) => state === "active" && hides > 0) ?? [];
  if (hiding.length === 0) return null;
  const hidden = hiding.reduce((sum, { hides }) => sum + hides, 0);
  return (
    <>
      {"; "}
      <Link href="/alerts/silences">
        {counted(hiding.length, "silence")} {hiding.length === 1 ? "hides" : "hide"} {hidden} firing
      </Link>
    </>
  );
}

interface RuleProps {
  readonly rule: AlertRule;
  /** How often it fired on each of the last 30 days; undefined until that is known. */
  readonly days: readonly number[] | undefined;
  /** How often all rules did. */
  readonly all: number;
  readonly mayEdit: boolean;
  readonly onOpen: (what: "edit" | "history" | "remove") => void;
}

function Rule({ rule, days, all, mayEdit, onOpen }: RuleProps) {
  const { id, name, enabled, version, sentence, note, firing, updatedAt, updatedBy, spec, inForce } = rule;
  const queries = useQueryClient();
  const { data: matches } = useQuery(ruleMatchesQuery(spec));
  const turn = useMutation({
    mutationFn: () => changeRule(id, { enabled: !enabled, version }),
    onSettled: () => queries.invalidateQueries({ queryKey: [RULES] }),
  });
  const button = { size: "compact-xs", variant: "default" } as const;
  return (
    <li className={classes.rule} data-rule={name} data-off={!enabled || undefined}>
      <span className={classes.standing}>
        <StateMark mark={enabled ? "ok" : "stale"} word={enabled ? "On" : "Off"} />
        {enabled && !inForce ? <small>taking hold</small> : null}
      </span>
      <div className={classes.what}>
        <h2>{name}</h2>
        <p>{sentence}</p>
        {note ? <small>{note}</small> : null}
        {turn.error ? <p role="alert">{saidOf(turn.error)}</p> : null}
      </div>
      <div className={classes.cell}>
        <span>{matches && spec.kind !== "pipeline" ? counted(matches.devices, "device") : ""}</span>
        <small>
          {matches && spec.kind !== "silence" && spec.kind !== "quality" && spec.kind !== "pipeline"
            ? counted(matches.series, "series", "series")
            : ""}
        </small>
      </div>
      <div className={classes.cell}>
        {firing > 0 ? <Link href={`/alerts?rule=${id}`}>{firing} firing</Link> : <span>Nothing fires</span>}
      </div>
      <div className={classes.cell}>{days ? <Noise days={days} all={all} id={id} firing={firing} /> : null}</div>
      <div className={classes.cell}>
        <Age time={updatedAt} />
        <small>by {updatedBy}</small>
      </div>
      <div className={classes.actions}>
        {mayEdit ? (
          <Button {...button} aria-label={`Change ${name}`} onClick={() => onOpen("edit")}>
            Change
          </Button>
        ) : null}
        {mayEdit ? (
          <Button
            {...button}
            loading={turn.isPending}
            aria-label={`Turn ${enabled ? "off" : "on"} ${name}`}
            onClick={() => turn.mutate()}
          >
            Turn {enabled ? "off" : "on"}
          </Button>
        ) : null}
        <Button
          {...button}
          component={Link}
          href={whyAddress({ rule: String(id) })}
          aria-label={`Why ${name} fired or didn’t`}
        >
          Why?
        </Button>
        <Button {...button} aria-label={`Versions of ${name}`} onClick={() => onOpen("history")}>
          Versions
        </Button>
        {mayEdit ? (
          <Button {...button} aria-label={`Delete ${name}`} onClick={() => onOpen("remove")}>
            Delete
          </Button>
        ) : null}
      </div>
    </li>
  );
}

const NEVER: readonly number[] = Array.from({ length: 30 }, () => 0);

function daysOf(episodes: RuleEpisodes["items"], rule: number): readonly number[] {
  return episodes.find((one) => one.rule === rule)?.days ?? NEVER;
}

function total(days: readonly number[]): number {
  return days.reduce((sum, n) => sum + n, 0);
}

/** How often a rule fired day by day, and its share of all that fired. */
function Noise({ days, all, id, firing }: { days: readonly number[]; all: number; id: number; firing: number }) {
  const its = total(days);
  // What fires now may not be counted yet.
  if (its === 0) return firing > 0 ? null : <span className={classes.never}>Never in 30 days</span>;
  const share = Math.round((100 * its) / all);
  return (
    <>
      <BarSparkline
        values={days}
        color="var(--fw-warn)"
        label={`Alerts a day in the last 30 days, today last: ${its} in all`}
      />
      <small>
        <Link href={`/alerts?show=ended&rule=${id}`}>{formatTotal(its)} in 30 days</Link>
        <span title="Of all alerts">, {share === 0 ? "< 1" : share} %</span>
      </small>
    </>
  );
}

/** Rules to begin with, while there is none. */
function Ready({ mayEdit }: { mayEdit: boolean }) {
  if (!mayEdit) return <Empty>There is no rule yet: nothing can fire.</Empty>;
  return (
    <>
      <p className={classes.about}>There is no rule yet, so nothing can fire. These fit any fleet:</p>
      <ul className={classes.rules} aria-label="Rules to begin with">
        {READY_RULES.map((ready) => (
          <ReadyOne key={ready.name} ready={ready} />
        ))}
      </ul>
    </>
  );
}

function ReadyOne({ ready: { name, spec, note } }: { ready: ReadyRule }) {
  const queries = useQueryClient();
  const add = useMutation({
    mutationFn: () => addRule({ name, enabled: true, spec, note, runbook: null }),
    onSuccess: () => queries.invalidateQueries({ queryKey: [RULES] }),
  });
  return (
    <li className={classes.ready}>
      <div className={classes.what}>
        <h2>{name}</h2>
        <p>{sentenceOf(spec)}</p>
        <small>{note}</small>
        {add.error ? <p role="alert">{saidOf(add.error)}</p> : null}
      </div>
      <Button
        size="compact-sm"
        variant="default"
        loading={add.isPending}
        aria-label={`Turn on ${name}`}
        onClick={() => add.mutate()}
      >
        Turn on
      </Button>
    </li>
  );
}

function told(rules: readonly AlertRule[]): string {
  const off = rules.filter(({ enabled }) => !enabled).length;
  return `${counted(rules.length, "rule")}${off > 0 ? `, ${off} off` : ""}`;
}
