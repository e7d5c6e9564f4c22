"use client";
import { Button, Select, TagsInput, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { Matcher } from "@/server/domain/notifications/matcher";
import { sitesQuery } from "../queries/device";
import { metricsQuery } from "../queries/metrics";
import classes from "./notifications.module.css";

const FIELDS: Record<Matcher["field"], { readonly title: string; readonly example: string }> = {
  rule: { title: "Rule", example: "Too hot" },
  severity: { title: "Severity", example: "critical" },
  site: { title: "Site", example: "north" },
  type: { title: "Type", example: "press" },
  device: { title: "Device", example: "press-*" },
  metric: { title: "Metric", example: "temperature" },
  label: { title: "Label", example: "7" },
};

interface MatchersProps {
  matchers: readonly Matcher[];
  /** What they choose: "alerts the route takes". */
  label: string;
  /** What none of them means. */
  none: string;
  /** True if they are filled in first. */
  isFirst?: boolean;
  onChange: (matchers: Matcher[]) => void;
}

/** Conditions on alerts, all of which must hold. */
export function Matchers({ matchers, label, none, isFirst = false, onChange }: MatchersProps) {
  const { data: sites } = useQuery(sitesQuery());
  const { data: metrics } = useQuery(metricsQuery());
  const known: Partial<Record<Matcher["field"], string[]>> = {
    severity: ["critical", "warning"],
    site: [...(sites ?? [])],
    metric: metrics?.items.map(({ name }) => name) ?? [],
  };
  const change = (i: number, one: Matcher) => onChange(matchers.map((was, at) => (at === i ? one : was)));
  return (
    <fieldset className={classes.matchers}>
      <legend>{label}</legend>
      {matchers.length === 0 ? <p>{none}</p> : null}
      {matchers.map((one, i) => (
        <div key={i} className={classes.matcher} data-keyed={one.field === "label" || undefined}>
          <Select
            aria-label={`Condition ${i + 1}: of what`}
            data={Object.entries(FIELDS).map(([value, { title }]) => ({ value, label: title }))}
            allowDeselect={false}
            value={one.field}
            onChange={(value) => change(i, matcherOf(value as Matcher["field"], one.is))}
          />
          <Select
            aria-label={`Condition ${i + 1}: is or is not`}
            data={[
              { value: "is", label: "is" },
              { value: "not", label: "is not" },
            ]}
            allowDeselect={false}
            value={one.is}
            onChange={(value) => change(i, { ...one, is: value as Matcher["is"] })}
          />
          {one.field === "label" ? (
            <TextInput
              aria-label={`Condition ${i + 1}: key of the label`}
              placeholder="key"
              value={one.key ?? ""}
              maxLength={128}
              onChange={(event) => change(i, { ...one, key: event.currentTarget.value })}
            />
          ) : null}
          <TagsInput
            className={classes.values ?? ""}
            aria-label={`Condition ${i + 1}: ${FIELDS[one.field].title.toLowerCase()}`}
            placeholder={one.values.length === 0 ? FIELDS[one.field].example : "or…"}
            data={known[one.field] ?? []}
            value={one.values}
            maxTags={64}
            data-autofocus={(isFirst && i === 0) || undefined}
            onChange={(values) => change(i, { ...one, values })}
          />
          <Button
            size="compact-xs"
            variant="subtle"
            aria-label={`Remove condition ${i + 1}`}
            onClick={() => onChange(matchers.filter((_, at) => at !== i))}
          >
            Remove
          </Button>
        </div>
      ))}
      <Button
        size="compact-xs"
        variant="default"
        disabled={matchers.length >= 16}
        onClick={() => onChange([...matchers, matcherOf(nextField(matchers), "is")])}
      >
        Add a condition
      </Button>
    </fieldset>
  );
}

function matcherOf(field: Matcher["field"], is: Matcher["is"]): Matcher {
  return { field, is, values: [], ...(field === "label" && { key: "" }) };
}

/** The first field without a condition of its own, as people name them: where, then how bad. */
function nextField(matchers: readonly Matcher[]): Matcher["field"] {
  const order: Matcher["field"][] = ["site", "severity", "device", "rule", "type", "metric", "label"];
  return order.find((field) => matchers.every((one) => one.field !== field)) ?? "device";
}

/** True if every condition says something. */
export function areWhole(matchers: readonly Matcher[]): boolean {
  return matchers.every(({ values, key }) => values.length > 0 && key !== "");
}
