"use client";
import { Button, FileButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { useState } from "react";
import type { AlertRule, RuleEpisodes } from "@/server/contracts/rules";
import { counted } from "@/server/domain/counted";
import { useMayEverywhere } from "../queries/access";
import { silencesQuery } from "../queries/notifications";
import { ruleEpisodesQuery, RULES_FILE, rulesQuery } from "../queries/rules";
import { AlertPages } from "../shell/alert-pages";
import { NotYet } from "../shell/not-yet";
import { OfAllSites } from "../shell/of-all-sites";
import { Page } from "../shell/page";
import { StaleNotice } from "../ui/feedback";
import { Link } from "../ui/link";
import { useAddress } from "../ui/url";
import { draftInAddress, NO_DRAFT } from "./draft";
import { ImportRules } from "./import-rules";
import { History, RemoveRule } from "./rule-dialogs";
import { total } from "./rule-noise";
import { Rule } from "./rule-row";
import classes from "./rules.module.css";

const ReadyRules = dynamic(() => import("./ready-rules").then((ready) => ready.ReadyRules), { ssr: false });
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
      {data ? null : (
        <NotYet
          what="the rules"
          error={error}
          onRetry={() => void refetch()}
          isRetrying={isFetching}
          rows={5}
          height={64}
        />
      )}
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
          {data.length === 0 ? <ReadyRules mayEdit={mayEdit} /> : null}
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

const NEVER: readonly number[] = Array.from({ length: 30 }, () => 0);

function daysOf(episodes: RuleEpisodes["items"], rule: number): readonly number[] {
  return episodes.find((one) => one.rule === rule)?.days ?? NEVER;
}

function told(rules: readonly AlertRule[]): string {
  const off = rules.filter(({ enabled }) => !enabled).length;
  return `${counted(rules.length, "rule")}${off > 0 ? `, ${off} off` : ""}`;
}
