"use client";
import { Button, NumberInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { DeadLetterDryRun, DeadLetterJobBody } from "@/server/contracts/dead-letters";
import { counted } from "@/server/domain/counted";
import { DEAD_LETTERS, dryRunQuery, startJob } from "../queries/dead-letters";
import { Dialog } from "../ui/dialog";
import { Failure, Loading } from "../ui/feedback";
import form from "../ui/form.module.css";
import { formatTotal } from "../ui/format";
import { MarkShape } from "../ui/state-mark";
import { effectOf, previewOf, secondsOf, type WantedJob } from "./job-words";
import classes from "./jobs.module.css";
import { filterWords } from "./view";

const RATE = { standard: 50, most: 1000 };

const VERBS: Record<DeadLetterJobBody["action"], string> = {
  resend: "Resend",
  discard: "Discard",
  restore: "Restore",
};

/** Tells what work on many dead letters would do, then asks once, with the exact effect. */
export function JobDialog({ job: { action, filter }, onClose }: { job: WantedJob; onClose: () => void }) {
  const queries = useQueryClient();
  const dry = useQuery(dryRunQuery(action, filter));
  const [rate, setRate] = useState<number | null>(RATE.standard);
  const start = useMutation({
    mutationFn: (perSecond: number) => startJob({ action, filter, perSecond, dryRun: false }),
    onSuccess: onClose,
    onSettled: () => queries.invalidateQueries({ queryKey: [DEAD_LETTERS] }),
  });
  const count = dry.data?.count ?? 0;
  return (
    <Dialog title={titleOf(action, filter)} size={560} onClose={onClose}>
      <form
        className={classes.dialog}
        onSubmit={(event) => {
          event.preventDefault();
          if (rate !== null && count > 0) start.mutate(rate);
        }}
      >
        {Object.keys(filter).length > 0 ? <p className={classes.scope}>{filterWords(filter)}</p> : null}
        <div className={classes.preview} aria-live="polite">
          {dry.data ? <Preview action={action} run={dry.data} /> : null}
          {!dry.data && dry.error ? (
            <Failure
              what="What would come of it could not be found out"
              why={dry.error.message}
              advice="Nothing was changed."
              onRetry={() => void dry.refetch()}
              retrying={dry.isFetching}
            />
          ) : null}
          {!dry.data && !dry.error ? <Loading rows={3} label="Trying it without changing anything" /> : null}
        </div>
        {action === "resend" ? (
          <div className={classes.rate}>
            <NumberInput
              label="Messages per second"
              size="xs"
              min={1}
              max={RATE.most}
              clampBehavior="strict"
              allowDecimal={false}
              allowNegative={false}
              value={rate ?? ""}
              onChange={(value) => setRate(typeof value === "number" && value >= 1 ? value : null)}
              data-autofocus
            />
            <p>
              {rate === null
                ? `From 1 to ${formatTotal(RATE.most)}.`
                : count > 0
                  ? `Takes about ${secondsOf(count, rate)}. New messages are handled meanwhile; it can be stopped at any time.`
                  : ""}
            </p>
          </div>
        ) : null}
        {start.error ? (
          <Failure
            what="It may not have begun"
            why={start.error.message}
            advice="The list of jobs tells whether it did. Starting it twice does no harm: each dead letter is taken once."
          />
        ) : null}
        <div className={form.buttons}>
          <Button size="sm" variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button size="sm" type="submit" disabled={count === 0 || rate === null} loading={start.isPending}>
            {dry.data ? effectOf(action, count, rate ?? RATE.standard) : VERBS[action]}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function titleOf(action: DeadLetterJobBody["action"], filter: WantedJob["filter"]): string {
  const which = Object.keys(filter).length === 0 ? "all " : "";
  return `${VERBS[action]} ${which}${action === "restore" ? "discarded" : "open"} dead letters`;
}

function Preview({ action, run }: { action: DeadLetterJobBody["action"]; run: DeadLetterDryRun }) {
  const { count, checked, wouldPass, wouldFail } = run;
  if (count === 0) return <p>There is nothing left to {action} here.</p>;
  if (action === "discard")
    return (
      <p>
        {counted(count, "dead letter")} would be given up. They stay under Discarded until their retention ends, and can
        be restored until then.
      </p>
    );
  if (action === "restore") return <p>{counted(count, "dead letter")} would be open again.</p>;
  return (
    <>
      <p className={classes.verdict}>
        <MarkShape mark={checked > 0 && wouldPass < checked ? "warning" : "ok"} />
        {previewOf(run)}
      </p>
      {wouldFail.length > 0 ? (
        <ul className={classes.refusals}>
          {wouldFail.map(({ reason, title, fix, count: refused, example }) => (
            <li key={reason}>
              <b>{title}</b> <span className={classes.count}>{formatTotal(refused)}</span>
              <p>{example}</p>
              <p className={classes.fix}>{fix}</p>
            </li>
          ))}
        </ul>
      ) : null}
      {wouldFail.length > 0 ? (
        <p className={classes.fix}>Those that are refused again become new dead letters, which keep the history.</p>
      ) : null}
    </>
  );
}
