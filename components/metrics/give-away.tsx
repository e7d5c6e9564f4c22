"use client";
import { Select, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { MetricView } from "@/server/contracts/metrics";
import { isName } from "@/server/domain/terms";
import { mergeMetric, metricEffectsQuery, renameMetric } from "../queries/metrics";
import { FormDialog } from "../shell/form-dialog";
import { MarkShape } from "../ui/state-mark";
import { mergeWords, renameWords } from "./effect-words";
import classes from "./metrics.module.css";
import { type DialogProps, useAct } from "./use-act";

/** A name is tried out once nothing was typed for so long. */
export const TYPING_MS = 250;

/** Gives a metric another name, after saying what that does. */
export function Rename({ metric: { name }, onClose }: DialogProps) {
  const [to, setTo] = useState(name);
  const [asked] = useDebouncedValue(to.trim(), TYPING_MS);
  const isNew = to.trim() !== name && isName(to.trim());
  const effects = useQuery({ ...metricEffectsQuery(name, { to: asked }), enabled: isNew && asked === to.trim() });
  const rename = useAct((wanted: string) => renameMetric(name, wanted), onClose);
  const isWrong = to.trim() !== "" && !isName(to.trim());
  return (
    <FormDialog
      title={`Rename ${name}`}
      act={isNew ? `Rename to ${to.trim()}` : "Rename"}
      failed="It was not renamed"
      isReady={isNew && asked === to.trim() && effects.data?.refused === null}
      isSending={rename.isPending}
      error={rename.error}
      onSubmit={() => rename.mutate(to.trim())}
      onClose={onClose}
    >
      <TextInput
        label="New name"
        value={to}
        maxLength={128}
        onChange={(event) => setTo(event.currentTarget.value)}
        error={isWrong ? "Letters, digits and _ . : - alone." : null}
      />
      <Told effects={isNew ? effects.data : undefined} words={(told) => renameWords(name, asked, told)} />
      <p>
        Devices that still send {name} go on: it stays another name of the metric. Messages and dead letters stay as
        they came. Renaming it back undoes it.
      </p>
    </FormDialog>
  );
}

/** Gives a metric's readings to another one, after saying what that does. */
export function Merge({ metric, metrics, onClose }: DialogProps & { metrics: readonly MetricView[] }) {
  const { name } = metric;
  const [into, setInto] = useState<string | null>(null);
  const target = metrics.find((one) => one.name === into);
  const effects = useQuery({ ...metricEffectsQuery(name, { into: into ?? "" }), enabled: into !== null });
  const merge = useAct((wanted: string) => mergeMetric(name, wanted), onClose);
  return (
    <FormDialog
      title={`Merge ${name} into another metric`}
      act={target ? `Merge into ${target.name}` : "Merge"}
      isDangerous
      failed="Nothing was merged"
      isReady={target !== undefined && effects.data?.refused === null}
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
      <Told effects={into === null ? undefined : effects.data} words={(told) => mergeWords(name, into!, told)} />
      {target?.kind === "boolean" && metric.kind === "number" ? (
        <p>
          {target.name} becomes a number, as {name} is one.
        </p>
      ) : null}
      <p>
        {name} is gone from every list at once; a job then moves the readings, and that can’t be undone. What devices
        send as {name} from then on is {target?.name ?? "the other metric"}. Messages and dead letters stay as they
        came.
      </p>
    </FormDialog>
  );
}

/** What a dry run found. */
export function Told<T extends { readonly refused: string | null }>({
  effects,
  words,
}: {
  effects: T | undefined;
  words: (effects: T) => string[];
}) {
  if (effects === undefined) return null;
  if (effects.refused !== null)
    return (
      <p className={classes.differ} role="alert">
        <MarkShape mark="warning" />
        <span>{effects.refused}</span>
      </p>
    );
  return (
    <ul className={classes.effects} aria-label="What it does">
      {words(effects).map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  );
}
