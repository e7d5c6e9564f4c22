"use client";
import { NumberInput, Textarea, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import {
  DESCRIPTION_LENGTH,
  METRIC_COLORS,
  type MetricChanges,
  type MetricView,
  OWNER_LENGTH,
} from "@/server/contracts/metrics";
import { metricsQuery } from "../queries/metrics";
import { Link } from "../ui/link";
import { metricColor } from "../ui/theme";
import classes from "./metrics.module.css";

export const NO_NUMBER = "Write a number, such as -12.5, or nothing.";

/** A number as it is written; null: none, NaN: no number. */
export function boundOf(text: string): number | null {
  if (text.trim() === "") return null;
  const bound = Number(text);
  return Number.isFinite(bound) ? bound : Number.NaN;
}

/** What is written of how a metric is shown. Bounds are critical below, warning below, warning above, critical above. */
interface Shown {
  readonly description: string;
  readonly owner: string;
  readonly decimals: number | null;
  readonly color: number | null;
  readonly texts: readonly [string, string, string, string];
  readonly bounds: readonly (number | null)[];
}

const BANDS = ["Critical below", "Warning below", "Warning above", "Critical above"] as const;

/** What is written of how a metric is shown, beginning with what holds. */
export function useShown({ description, owner, decimals, color, thresholds }: MetricView) {
  return useState<Shown>(() => {
    const bounds = boundsOf(thresholds);
    const [a, b, c, d] = bounds.map((bound) => String(bound ?? ""));
    return { description: description ?? "", owner: owner ?? "", decimals, color, bounds, texts: [a!, b!, c!, d!] };
  });
}

function boundsOf({ warning, critical }: MetricView["thresholds"]) {
  return [critical.below, warning.below, warning.above, critical.above] as const;
}

/** The changes that what is written makes. */
export function shownChanges(
  metric: MetricView,
  { description, owner, decimals, color, bounds }: Shown,
): MetricChanges {
  const before = boundsOf(metric.thresholds);
  const [criticalBelow, warningBelow, warningAbove, criticalAbove] = bounds;
  const isSame = bounds.every((bound, i) => bound === before[i]);
  return {
    ...(description.trim() === (metric.description ?? "") ? {} : { description: description.trim() || null }),
    ...(owner.trim() === (metric.owner ?? "") ? {} : { owner: owner.trim() || null }),
    ...(decimals === metric.decimals ? {} : { decimals }),
    ...(color === metric.color ? {} : { color }),
    ...(isSame
      ? {}
      : {
          thresholds: {
            warning: { below: warningBelow ?? null, above: warningAbove ?? null },
            critical: { below: criticalBelow ?? null, above: criticalAbove ?? null },
          },
        }),
  };
}

interface FieldsProps {
  metric: MetricView;
  shown: Shown;
  onChange: (shown: Shown) => void;
}

/** Where a rule begins with this metric and its first upper threshold. */
function ruleAddress({ name, thresholds }: MetricView): string {
  const above = thresholds.warning.above ?? thresholds.critical.above;
  const query = new URLSearchParams({ new: "", metric: name, ...(above === null ? {} : { above: String(above) }) });
  return `/alerts/rules?${query}`;
}

/** The fields of how a metric is shown. */
export function ShownFields({ metric, shown, onChange }: FieldsProps) {
  const { data } = useQuery(metricsQuery());
  const setBound = (i: number, text: string) => {
    const texts = shown.texts.map((before, at) => (at === i ? text : before)) as unknown as Shown["texts"];
    onChange({ ...shown, texts, bounds: texts.map(boundOf) });
  };
  return (
    <>
      <Textarea
        label="Description"
        placeholder="What it is, where it is measured"
        autosize
        minRows={1}
        maxRows={4}
        maxLength={DESCRIPTION_LENGTH}
        value={shown.description}
        onChange={(event) => onChange({ ...shown, description: event.currentTarget.value })}
      />
      <TextInput
        label="Owner"
        placeholder={data?.dataOwner ?? "A team, or an address"}
        maxLength={OWNER_LENGTH}
        value={shown.owner}
        onChange={(event) => onChange({ ...shown, owner: event.currentTarget.value })}
      />
      <div className={classes.range}>
        <NumberInput
          label="Decimals"
          description="Of headlines and charts"
          inputWrapperOrder={["label", "input", "description"]}
          placeholder="as sent"
          min={0}
          max={10}
          allowDecimal={false}
          value={shown.decimals ?? ""}
          onChange={(value) => onChange({ ...shown, decimals: typeof value === "number" ? value : null })}
        />
        <div className={classes.colors} role="radiogroup" aria-label="Color in charts">
          <span>Color in charts</span>
          <div>
            {[null, ...Array.from({ length: METRIC_COLORS }, (_, i) => i + 1)].map((place) => (
              <button
                key={place ?? "name"}
                type="button"
                role="radio"
                aria-checked={shown.color === place}
                aria-label={place === null ? "By its name" : `Color ${place}`}
                title={place === null ? "By its name" : `Color ${place}`}
                onClick={() => onChange({ ...shown, color: place })}
              >
                <i style={{ background: metricColor(metric.name, place) }} aria-hidden="true" />
                {place === null ? "by name" : null}
              </button>
            ))}
          </div>
        </div>
      </div>
      {metric.kind === "boolean" ? null : (
        <fieldset className={classes.bands}>
          <legend>Thresholds drawn on charts</legend>
          <div>
            {BANDS.map((label, i) => (
              <TextInput
                key={label}
                label={label}
                inputMode="decimal"
                placeholder="none"
                value={shown.texts[i]}
                onChange={(event) => setBound(i, event.currentTarget.value)}
                error={Number.isNaN(shown.bounds[i]) ? NO_NUMBER : null}
              />
            ))}
          </div>
          <small>
            They tell nobody. <Link href={ruleAddress(metric)}>Make an alert rule of them</Link>
          </small>
        </fieldset>
      )}
    </>
  );
}
