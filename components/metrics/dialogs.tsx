"use client";
import { SegmentedControl, Select, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { MetricChanges, MetricView } from "@/server/contracts/metrics";
import { counted } from "@/server/domain/counted";
import { deleteMetric, mergeMetric, metricStoredQuery, saveMetric } from "../queries/metrics";
import { FormDialog } from "../shell/form-dialog";
import { MarkShape } from "../ui/state-mark";
import { UnitField } from "../ui/unit-field";
import classes from "./metrics.module.css";
import type { Wish } from "./table";

interface DialogProps {
  metric: MetricView;
  onClose: () => void;
}

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
  return <Delete metric={metric} onClose={onClose} />;
}

/** Does what `act` does; then everything is asked for again: metrics stand on every screen. */
function useAct<T>(act: (wanted: T) => Promise<unknown>, onDone: () => void) {
  const queries = useQueryClient();
  return useMutation({ mutationFn: act, onSuccess: onDone, onSettled: () => void queries.invalidateQueries() });
}

function Declare({ metric, onClose }: DialogProps) {
  const { name, meaning, ownUnits } = metric;
  const [unit, setUnit] = useState(metric.unit ?? "");
  const [kind, setKind] = useState(metric.kind);
  const [from, setFrom] = useState(String(metric.min ?? ""));
  const [to, setTo] = useState(String(metric.max ?? ""));
  const [min, max] = [endOf(from), endOf(to)];
  const isTurned = min !== null && max !== null && min > max;
  const isGuess = meaning === "guessed" && metric.unit !== null;
  const changes: MetricChanges = {
    ...(unit.trim() === (metric.unit ?? "") && !isGuess ? {} : { unit: unit.trim() || null }),
    ...(kind === metric.kind ? {} : { kind }),
    ...(min === metric.min ? {} : { min }),
    ...(max === metric.max ? {} : { max }),
  };
  const save = useAct((wanted: MetricChanges) => saveMetric(name, wanted), onClose);
  return (
    <FormDialog
      title={`Unit, kind and range of ${name}`}
      act={isGuess && unit.trim() === metric.unit ? "The guess is right" : "Save"}
      failed="Nothing was changed"
      isReady={Object.keys(changes).length > 0 && !isTurned && !Number.isNaN(min) && !Number.isNaN(max)}
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
      </div>
    </FormDialog>
  );
}

const NO_NUMBER = "Write a number, such as -12.5, or nothing.";

/** An end of the range as it is written; null: none, NaN: no number. */
function endOf(text: string): number | null {
  if (text.trim() === "") return null;
  const end = Number(text);
  return Number.isFinite(end) ? end : Number.NaN;
}

function kindWords(before: MetricView["kind"], kind: MetricView["kind"]): string {
  if (before === kind) return "How values are shown; stored ones stay as they are.";
  return kind === "boolean"
    ? "Values are shown as true, or false for 0. The next number that comes makes it a number again."
    : "Values are shown as numbers: true is 1, false is 0.";
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

function Merge({ metric, metrics, onClose }: DialogProps & { metrics: readonly MetricView[] }) {
  const { name } = metric;
  const [into, setInto] = useState<string | null>(null);
  const stored = useStored(name);
  const target = metrics.find((one) => one.name === into);
  const differ = target && metric.unit !== null && target.unit !== null && metric.unit !== target.unit;
  const merge = useAct((wanted: string) => mergeMetric(name, wanted), onClose);
  return (
    <FormDialog
      title={`Merge ${name} into another metric`}
      act={target ? `Merge into ${target.name}` : "Merge"}
      isDangerous
      failed="Nothing was merged"
      isReady={target !== undefined && !differ}
      isSending={merge.isPending}
      error={merge.error}
      onSubmit={() => into !== null && merge.mutate(into)}
      onClose={onClose}
    >
      <Select
        label="Metric that gets its readings"
        placeholder="Search"
        data={metrics
          .filter((one) => one.name !== name)
          .map((one) => ({ value: one.name, label: one.unit === null ? one.name : `${one.name} (${one.unit})` }))}
        value={into}
        onChange={setInto}
        searchable
        limit={50}
        nothingFoundMessage="No such metric"
      />
      {differ ? (
        <p className={classes.differ} role="alert">
          <MarkShape mark="warning" />
          <span>
            Their units differ, {metric.unit} and {target.unit}, and values are not converted. If both mean the same,
            set the same unit first.
          </span>
        </p>
      ) : null}
      <p>
        {target ? <b>{target.name}</b> : "The other one"} gets <b>{stored}</b>, values as they are. Where it has a
        reading of the same device and time, its own stays.
      </p>
      {target?.kind === "boolean" && metric.kind === "number" ? (
        <p>
          {target.name} becomes a number, as {name} is one.
        </p>
      ) : null}
      <p>
        {name} is gone from every list at once; a job then moves the readings, and that can’t be undone. {STAYS} When a
        device sends {name} again, a new metric begins.
      </p>
    </FormDialog>
  );
}
