"use client";
import { Button, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { RefObject } from "react";
import type { Alert, AlertSummary } from "@/server/contracts/alerts";
import { sitesQuery } from "../queries/device";
import { rulesQuery } from "../queries/rules";
import { Chip } from "../ui/list-page";
import list from "../ui/list-page.module.css";
import { MarkShape } from "../ui/state-mark";
import type { AddressChanges } from "../ui/url";
import { SHOWN, type Shown, type View } from "../queries/wanted-alerts";

interface FiltersProps {
  readonly view: View;
  /** All that is open, in figures; undefined until it is known. */
  readonly summary: AlertSummary | undefined;
  /** What is listed, whose devices are on offer. */
  readonly listed: readonly Alert[];
  readonly input: RefObject<HTMLInputElement | null>;
  readonly onChange: (changes: AddressChanges) => void;
}

const WORDS: Record<Shown, string> = { firing: "Firing", acknowledged: "Acknowledged", ended: "Ended" };

/** What of the alerts is listed. */
export function Filters({ view, summary, listed, input, onChange }: FiltersProps) {
  const { data: sites } = useQuery(sitesQuery());
  const { data: rules } = useQuery(rulesQuery());
  const counts: Record<Shown, number | undefined> = {
    firing: summary?.firing,
    acknowledged: summary?.acknowledged,
    ended: undefined,
  };
  const devices = new Set([view.device, ...listed.map(({ device }) => device)].filter((name) => name !== null));
  const ruleChoices = (rules ?? []).map(({ id, name }) => ({ value: String(id), label: name }));
  if (view.rule !== null && !ruleChoices.some(({ value }) => value === view.rule))
    ruleChoices.push({ value: view.rule, label: `Rule ${view.rule}` });
  return (
    <div className={list.filters} role="search">
      <div className={list.chips} role="group" aria-label="State">
        {SHOWN.map((one) => (
          <Chip
            key={one}
            isChosen={view.shown === one}
            isNone={counts[one] === 0}
            count={counts[one]}
            onChoose={() => onChange({ show: one === "firing" ? null : one, limit: null })}
          >
            {one === "acknowledged" ? <MarkShape mark="acknowledged" /> : null}
            <span>{WORDS[one]}</span>
          </Chip>
        ))}
      </div>
      <Choice
        label="Severity"
        all="Any severity"
        value={view.severity}
        data={[
          { value: "critical", label: "Critical" },
          { value: "warning", label: "Warning" },
        ]}
        onChange={(severity) => onChange({ severity })}
      />
      <Choice
        label="Site"
        all="All sites"
        value={view.site}
        data={sites ?? []}
        onChange={(site) => onChange({ site })}
      />
      <Choice
        label="Rule"
        all="All rules"
        value={view.rule}
        data={ruleChoices}
        onChange={(rule) => onChange({ rule })}
      />
      {view.parent === null ? null : (
        <Button size="compact-sm" variant="default" onClick={() => onChange({ parent: null })}>
          Beneath alert {view.parent} ×
        </Button>
      )}
      <Choice
        label="Device"
        all="All devices"
        input={input}
        value={view.device}
        data={[...devices].toSorted()}
        onChange={(device) => onChange({ device })}
      />
    </div>
  );
}

interface ChoiceProps {
  label: string;
  all: string;
  value: string | null;
  data: readonly (string | { value: string; label: string })[];
  input?: RefObject<HTMLInputElement | null>;
  onChange: (value: string | null) => void;
}

function Choice({ label, all, value, data, input, onChange }: ChoiceProps) {
  return (
    <Select
      {...(input ? { ref: input } : {})}
      aria-label={label}
      placeholder={all}
      className={list.select ?? ""}
      size="xs"
      data={[...data]}
      value={value}
      clearable
      searchable
      clearButtonProps={{ "aria-label": `Any ${label.toLowerCase()}` }}
      onChange={onChange}
    />
  );
}
