"use client";
import { NativeSelect, NumberInput, SegmentedControl } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { QualityLimitsAnswer } from "@/server/contracts/quality";
import { useMay, useMayEverywhere } from "../queries/access";
import { metricsQuery } from "../queries/metrics";
import { deviceDayQuery, limitsQuery, QUALITY_LIMITS, saveLimits } from "../queries/quality";
import { FormDialog } from "../shell/form-dialog";
import { Age } from "../ui/age";
import { Dialog } from "../ui/dialog";
import { Failure, Loading } from "../ui/feedback";
import { type Draft, fallbackOf, faultsOf, type Limit, LIMIT_NAMES, limitTitle, LIMITS } from "./limits";
import classes from "./limits.module.css";

/** A series whose limits are shown. */
export interface Series {
  readonly device: string;
  readonly site: string | null;
  readonly metric: string;
}

/** What the checks of a series go by, for its device alone or for all: the default, what is learned, what a person set. */
export function LimitsDialog({ series, onClose }: { series: Series; onClose: () => void }) {
  const { data, error, refetch, isFetching } = useQuery(limitsQuery());
  const [isForAll, setForAll] = useState(false);
  if (!data)
    return (
      <Dialog title={`Limits of ${series.metric}`} size={720} onClose={onClose}>
        {error ? (
          <Failure
            what="The limits could not be loaded"
            why={error.message}
            advice="Nothing was changed."
            onRetry={() => void refetch()}
            retrying={isFetching}
          />
        ) : (
          <Loading rows={8} height={40} label="Loading the limits" />
        )}
      </Dialog>
    );
  return <Form key={String(isForAll)} {...{ series, onClose, isForAll, onForAll: setForAll, answer: data }} />;
}

interface FormProps {
  readonly series: Series;
  readonly answer: QualityLimitsAnswer;
  readonly isForAll: boolean;
  readonly onForAll: (isForAll: boolean) => void;
  readonly onClose: () => void;
}

function Form({ series: { device, site, metric }, answer, isForAll, onForAll, onClose }: FormProps) {
  const queries = useQueryClient();
  const mayHere = useMay("edit", site);
  const mayAll = useMayEverywhere("edit");
  const may = isForAll ? mayAll : mayHere;
  const setOn = (on: string | null) => answer.items.find((one) => one.metric === metric && one.device === on);
  const set = setOn(isForAll ? null : device);
  const [draft, setDraft] = useState<Draft>(set?.limits ?? {});
  const usual = useQuery(deviceDayQuery(device)).data?.series.find((one) => one.metric === metric)?.usual;
  const known = useQuery(metricsQuery()).data?.items.find((one) => one.name === metric);
  const range = { min: known?.min ?? null, max: known?.max ?? null };
  const fallback = { defaults: answer.defaults, forAll: isForAll ? undefined : setOn(null), range };
  const faults = faultsOf(draft);
  const save = useMutation({
    mutationFn: () => saveLimits({ metric, device: isForAll ? null : device, limits: draft as Record<Limit, number> }),
    onSuccess: (saved) => {
      queries.setQueryData([QUALITY_LIMITS], saved);
      onClose();
    },
  });
  const choose = (limit: Limit, way: string) => {
    const { [limit]: _, ...others } = draft;
    setDraft(way === "without" ? others : { ...others, [limit]: way === "off" ? null : "" });
  };
  const isBare = Object.keys(draft).length === 0;
  return (
    <FormDialog
      title={`Limits of ${metric}`}
      size={720}
      act={isBare && set ? "Take the limits back" : "Set the limits"}
      failed="No limit was changed"
      isReady={may && Object.keys(faults).length === 0 && (!isBare || set !== undefined)}
      isSending={save.isPending}
      error={save.error}
      onSubmit={() => save.mutate()}
      onClose={onClose}
    >
      <SegmentedControl
        size="xs"
        aria-label="For"
        value={isForAll ? "all" : "one"}
        onChange={(value) => onForAll(value === "all")}
        data={[
          { value: "one", label: `Only ${device}` },
          { value: "all", label: "All devices" },
        ]}
      />
      <p className={classes.about}>
        {set ? (
          <>
            Set by {set.updatedBy} <Age time={set.updatedAt} />.{" "}
          </>
        ) : (
          "Nobody has set any here. "
        )}
        They hold for readings to come: what is flagged stays.
        {may ? "" : isForAll ? " Changing them takes an editor of all sites." : " Changing them takes an editor here."}
      </p>
      <fieldset className={classes.limits} disabled={!may}>
        {LIMIT_NAMES.map((limit) => {
          const value = draft[limit];
          const learned = !isForAll && usual ? LIMITS[limit].learned?.(usual) : undefined;
          return (
            <div key={limit} className={classes.limit} data-limit={limit}>
              <span>
                {limitTitle(limit)}
                <small>
                  {value === undefined ? "" : "else "}
                  {fallbackOf(limit, fallback)}
                  {learned ? ` · learned: ${learned}` : ""}
                </small>
              </span>
              <NativeSelect
                size="xs"
                aria-label={limitTitle(limit)}
                value={value === undefined ? "without" : value === null ? "off" : "set"}
                onChange={({ currentTarget }) => choose(limit, currentTarget.value)}
                data={[
                  { value: "without", label: "Not set" },
                  { value: "set", label: "Set to" },
                  { value: "off", label: "Off" },
                ]}
              />
              {value === undefined || value === null ? (
                <span />
              ) : (
                <NumberInput
                  size="xs"
                  aria-label={`${limitTitle(limit)}, number`}
                  hideControls
                  value={value}
                  error={faults[limit]}
                  onChange={(next) => setDraft({ ...draft, [limit]: next })}
                />
              )}
            </div>
          );
        })}
      </fieldset>
    </FormDialog>
  );
}
