"use client";
import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { READY_RULES, type ReadyRule } from "@/server/domain/alerts/ready-rules";
import { sentenceOf } from "@/server/domain/alerts/sentence";
import { saidOf } from "../queries/request";
import { addRule, RULES } from "../queries/rules";
import { Empty } from "../ui/feedback";
import classes from "./rules.module.css";

/** Rules to begin with, while there is none. */
export function ReadyRules({ mayEdit }: { mayEdit: boolean }) {
  if (!mayEdit) return <Empty>There is no rule yet: nothing can fire.</Empty>;
  return (
    <>
      <p className={classes.about}>There is no rule yet, so nothing can fire. These fit any fleet:</p>
      <ul className={classes.rules} aria-label="Rules to begin with">
        {READY_RULES.map((ready) => (
          <ReadyOne key={ready.name} ready={ready} />
        ))}
      </ul>
    </>
  );
}

function ReadyOne({ ready: { name, spec, note } }: { ready: ReadyRule }) {
  const queries = useQueryClient();
  const add = useMutation({
    mutationFn: () => addRule({ name, enabled: true, spec, note, runbook: null }),
    onSuccess: () => queries.invalidateQueries({ queryKey: [RULES] }),
  });
  return (
    <li className={classes.ready}>
      <div className={classes.what}>
        <h2>{name}</h2>
        <p>{sentenceOf(spec)}</p>
        <small>{note}</small>
        {add.error ? <p role="alert">{saidOf(add.error)}</p> : null}
      </div>
      <Button
        size="compact-sm"
        variant="default"
        loading={add.isPending}
        aria-label={`Turn on ${name}`}
        onClick={() => add.mutate()}
      >
        Turn on
      </Button>
    </li>
  );
}
