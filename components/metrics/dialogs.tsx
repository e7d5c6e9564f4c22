"use client";
import { SegmentedControl, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { MetricChanges, MetricView } from "@/server/contracts/metrics";
import { counted } from "@/server/domain/counted";
import { waysWords } from "@/server/domain/kept-words";
import { deleteMetric, metricEffectsQuery, metricStoredQuery, saveMetric } from "../queries/metrics";
import { FormDialog } from "../shell/form-dialog";
import { Link } from "../ui/link";
import { UnitField } from "../ui/unit-field";
import { Merge, Rename } from "./give-away";
import classes from "./metrics.module.css";
import { boundOf, NO_NUMBER, ShownFields, shownChanges, useShown } from "./shown-fields";
import type { Wish } from "./table";
import { type DialogProps, useAct } from "./use-act";

/** The dialog in which a wish is said in full, with what will come of it. */
export function WishDialog({
  wish,
  metrics,
  onClose,
}: {
  wish: Wish;
  metrics: readonly MetricView[];
  onClose: () => void;
}) {
  const { kind, metric } = wish;
  if (kind === "declare") return <Declare metric={metric} onClose={onClose} />;
  if (kind === "merge") return <Merge metric={metric} metrics={metrics} onClose={onClose} />;
  if (kind === "rename") return <Rename metric={metric} onClose={onClose} />;
  return <Delete metric={metric} onClose={onClose} />;
}

function Declare({ metric, onClose }: DialogProps) {
  const { name, meaning, ownUnits } = metric;
  const [unit, setUnit] = useState(metric.unit ?? "");
  const [kind, setKind] = useState(metric.kind);
  const [from, setFrom] = useState(String(metric.min ?? ""));
  const [to, setTo] = useState(String(metric.max ?? ""));
  const [min, max] = [boundOf(from), boundOf(to)];
  const [shown, setShown] = useShown(metric);
  const isTurned = min !== null && max !== null && min > max;
  const isGuess = meaning === "guessed" && metric.unit !== null;
  const changes: MetricChanges = {
    ...(unit.trim() === (metric.unit ?? "") && !isGuess ? {} : { unit: unit.trim() || null }),
    ...(kind === metric.kind ? {} : { kind }),
    ...(min === metric.min ? {} : { min }),
    ...(max === metric.max ? {} : { max }),
    ...shownChanges(metric, shown),
  };
  const save = useAct((wanted: MetricChanges) => saveMetric(name, wanted), onClose);
  return (
    <FormDialog
      title={`Meaning and look of ${name}`}
      act={isGuess && unit.trim() === metric.unit ? "The guess is right" : "Save"}
      failed="Nothing was changed"
      isReady={Object.keys(changes).length > 0 && !isTurned && ![min, max, ...shown.bounds].some(Number.isNaN)}
      isSending={save.isPending}
      error={save.error}
      onSubmit={() => save.mutate(changes)}
      onClose={onClose}
    >
      <UnitField
        label="Unit of all devices"
        description={
          isGuess
            ? "Guessed by an earlier version from the name."
            : ownUnits > 0
              ? `${counted(ownUnits, "device has", "devices have")} a unit of their own, which comes first.`
              : "Nothing is converted: values stay as they were sent."
        }
        inputWrapperOrder={["label", "input", "description"]}
        value={unit}
        onChange={setUnit}
      />
      <div className={classes.range}>
        <TextInput
          label="Valid from"
          inputMode="decimal"
          placeholder="any"
          value={from}
          onChange={(event) => setFrom(event.currentTarget.value)}
          error={Number.isNaN(min) ? NO_NUMBER : null}
        />
        <TextInput
          label="Valid to"
          inputMode="decimal"
          placeholder="any"
          value={to}
          onChange={(event) => setTo(event.currentTarget.value)}
          error={Number.isNaN(max) ? NO_NUMBER : isTurned ? "It is below where the range begins." : null}
        />
      </div>
      <div className={classes.kindField}>
        <span id="metric-kind">Kind</span>
        <SegmentedControl
          size="xs"
          aria-labelledby="metric-kind"
          value={kind}
          onChange={(value) => setKind(value as MetricView["kind"])}
          data={[
            { value: "number", label: "Number" },
            { value: "boolean", label: "Boolean" },
          ]}
        />
        <small>{kindWords(metric.kind, kind)}</small>
        {kind === metric.kind ? null : <KindEffects name={name} kind={kind} />}
      </div>
      <ShownFields metric={metric} shown={shown} onChange={setShown} />
      <p className={classes.keptWords}>
        <span>Kept: {waysWords(metric.kept)}.</span> <Link href="/retention">Change it on Retention</Link>
      </p>
    </FormDialog>
  );
}

function kindWords(before: MetricView["kind"], kind: MetricView["kind"]): string {
  if (before === kind) return "How values are shown; stored ones stay as they are.";
  return kind === "boolean"
    ? "Values are shown as true, or false for 0. The next number that comes makes it a number again."
    : "Values are shown as numbers: true is 1, false is 0.";
}

/** What would be shown otherwise, as soon as it is counted. */
function KindEffects({ name, kind }: { name: string; kind: MetricView["kind"] }) {
  const { data } = useQuery(metricEffectsQuery(name, { kind }));
  if (data === undefined) return <small>Counting what that changes…</small>;
  const { otherValues, otherDevices, rules } = data;
  const watched =
    rules.length === 0 ? "" : ` Alert rules go by the same values: ${rules.map((rule) => rule.name).join(", ")}.`;
  if (kind === "number")
    return <small>Charts have lines instead of bands, from 0 to 1 for what is stored.{watched}</small>;
  return (
    <small>
      {otherValues === null
        ? "Too many readings to count those that are neither 0 nor 1."
        : otherValues === 0
          ? "All its readings are 0 or 1."
          : `${counted(otherValues, "reading")} of ${counted(otherDevices ?? 0, "device")} ${otherValues === 1 ? "is" : "are"} neither 0 nor 1, and would be shown as true.`}
      {watched}
    </small>
  );
}

/** "1,200 readings of 3 devices", as soon as they are counted. */
function useStored(name: string): string {
  const { data, error } = useQuery(metricStoredQuery(name));
  if (data === undefined) return error ? "all its readings" : "all its readings (being counted)";
  const { devices, readings } = data;
  if (devices === null || readings === null) return "all its readings (too many to count now)";
  return `${counted(readings, "reading")} of ${counted(devices, "device")}`;
}

const STAYS = "Messages and dead letters stay as they came.";

function Delete({ metric: { name, ownUnits }, onClose }: DialogProps) {
  const stored = useStored(name);
  const remove = useAct(() => deleteMetric(name), onClose);
  return (
    <FormDialog
      title={`Delete ${name}`}
      act="Delete"
      isDangerous
      failed="It was not deleted"
      isSending={remove.isPending}
      error={remove.error}
      onSubmit={() => remove.mutate(undefined)}
      onClose={onClose}
    >
      <p>
        This removes <b>{stored}</b> for good, with the latest values
        {ownUnits > 0 ? ` and the units of ${counted(ownUnits, "device")}` : ""}.
      </p>
      <p>
        It is gone from every list, chart and download at once; a job then removes what is stored. {STAYS} When a device
        sends {name} again, a new metric begins.
      </p>
    </FormDialog>
  );
}
