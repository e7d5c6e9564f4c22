"use client";
import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { PipelineAnswer, StoppingBatchView } from "@/server/contracts/pipeline";
import { counted } from "@/server/domain/counted";
import { extentInWords } from "@/server/domain/unreadable";
import { useMayEverywhere } from "../queries/access";
import { PIPELINE, skipBatch } from "../queries/pipeline";
import { Age } from "../ui/age";
import { Dialog } from "../ui/dialog";
import { Failure } from "../ui/feedback";
import form from "../ui/form.module.css";
import { formatTotal } from "../ui/format";
import { Section } from "../ui/section";
import { MarkShape } from "../ui/state-mark";
import ui from "../ui/ui.module.css";
import classes from "./pipeline.module.css";

/** Partitions that a batch stops which can't be read: which, since when, why, what to do, and the way past it. */
export function StoppedPartitions({ partitions }: { partitions: PipelineAnswer["partitions"] }) {
  const mayOperate = useMayEverywhere("operate");
  const [asked, setAsked] = useState<StoppingBatchView | null>(null);
  const stopped = partitions.filter(({ unreadable }) => unreadable !== null);
  const others = partitions.length - stopped.length;
  return (
    <>
      {stopped.map(({ topic, partition, lag, unreadable }) => (
        <div key={`${topic}/${partition}`} className={ui.notice} role="alert" data-tone="fail" data-stopped={partition}>
          <MarkShape mark="failing" />
          <div>
            <p className={ui.noticeTitle}>
              Partition {partition} stopped <Age time={unreadable!.since} />
            </p>
            <p>
              {extentInWords(unreadable!)} can’t be read. {unreadable!.cause}
            </p>
            <p>{unreadable!.fix}</p>
            <p className={ui.muted}>
              {lag === null ? "" : `${counted(lag, "message waits", "messages wait")} in it. `}
              {others === 0
                ? ""
                : `The ${counted(others, "other partition")} ${others === 1 ? "is" : "are"} not affected.`}
            </p>
          </div>
          {mayOperate ? (
            <Button size="xs" variant="default" onClick={() => setAsked(unreadable)}>
              Skip…
            </Button>
          ) : null}
        </div>
      ))}
      {asked ? <SkipDialog batch={asked} onClose={() => setAsked(null)} /> : null}
    </>
  );
}

/** Says exactly what would be lost, and asks once. */
function SkipDialog({ batch, onClose }: { batch: StoppingBatchView; onClose: () => void }) {
  const queries = useQueryClient();
  const skip = useMutation({
    mutationFn: () => skipBatch(batch),
    onSuccess: onClose,
    onSettled: () => queries.invalidateQueries({ queryKey: [PIPELINE] }),
  });
  const { partition, to, records } = batch;
  const what = counted(records, "message");
  return (
    <Dialog title={`Skip ${what}`} size={480} onClose={onClose}>
      <form
        className={classes.dialog}
        onSubmit={(event) => {
          event.preventDefault();
          skip.mutate();
        }}
      >
        <p>
          <b>
            {extentInWords(batch)} of partition {partition}
          </b>{" "}
          will never be read. Fieldwatch keeps no copy; Kafka keeps its own until its retention ends.
        </p>
        <p>
          The partition goes on at offset {formatTotal(to + 1)} within seconds. What was skipped is counted, and listed
          on this page.
        </p>
        {skip.error ? (
          <Failure
            what="It was not skipped"
            why={skip.error.message}
            advice={`Look at partition ${partition} again.`}
          />
        ) : null}
        <div className={form.buttons}>
          <Button size="sm" variant="default" onClick={onClose} data-autofocus>
            Cancel
          </Button>
          <Button size="sm" type="submit" color="red" loading={skip.isPending}>
            Skip {what}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Lists the batches that people skipped last: messages that were never read. */
export function SkippedBatches({ pipeline }: { pipeline: PipelineAnswer }) {
  const { skippedBatches } = pipeline;
  if (skippedBatches.length === 0) return null;
  return (
    <Section title="Skipped batches">
      <div className={classes.scroll} role="region" aria-label="Skipped batches, table" tabIndex={0}>
        <table className={classes.table} data-skipped>
          <thead>
            <tr>
              <th scope="col">Partition</th>
              <th scope="col">Messages</th>
              <th scope="col">Offsets</th>
              <th scope="col">Skipped</th>
              <th scope="col">Why it could not be read</th>
            </tr>
          </thead>
          <tbody>
            {skippedBatches.map(({ partition, from, to, records, cause, skippedAt }) => (
              <tr key={`${partition}/${from}/${skippedAt}`}>
                <th scope="row">{partition}</th>
                <td>{formatTotal(records)}</td>
                <td>{from === to ? formatTotal(from) : `${formatTotal(from)}–${formatTotal(to)}`}</td>
                <td>
                  <Age time={skippedAt} />
                </td>
                <td title={cause}>{cause}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}
