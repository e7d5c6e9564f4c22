"use client";
import { Checkbox } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { ImportedRules } from "@/server/contracts/rules";
import { counted } from "@/server/domain/counted";
import { importRules, RULES, rulesFileQuery } from "../queries/rules";
import { FormDialog } from "../shell/form-dialog";
import { Dialog } from "../ui/dialog";
import { Loading } from "../ui/feedback";
import classes from "./rules.module.css";

interface ImportProps {
  readonly file: File;
  readonly onClose: () => void;
}

/** Takes a file of rules, after saying what it would add, change and remove. */
export function ImportRules({ file, onClose }: ImportProps) {
  const queries = useQueryClient();
  const [removes, setRemoves] = useState(false);
  const others = removes ? "remove" : "keep";
  const trial = useQuery(rulesFileQuery(file, others));
  const send = useMutation({
    mutationFn: async () => importRules(JSON.parse(await file.text()), { dryRun: false, others }),
    onSuccess: () => queries.invalidateQueries({ queryKey: [RULES] }),
  });
  if (send.data)
    return (
      <Dialog title="Rules are taken in" size={480} onClose={onClose}>
        <p role="status">
          {send.data.added.length} added, {send.data.changed.length} changed, {send.data.removed.length} removed,{" "}
          {send.data.same.length} as they were.
        </p>
      </Dialog>
    );
  const { data, error } = trial;
  const does = data ? data.added.length + data.changed.length + data.removed.length : 0;
  return (
    <FormDialog
      title={`Import ${file.name}`}
      act="Import"
      failed="Nothing was changed"
      isReady={does > 0 && !trial.isFetching}
      isSending={send.isPending}
      error={send.error}
      onSubmit={() => send.mutate()}
      onClose={onClose}
    >
      {error ? (
        <p role="alert">{error.message}</p>
      ) : data ? (
        <>
          <Effect of={data} />
          <Checkbox
            mt="sm"
            label="Remove the rules that the file doesn’t name"
            checked={removes}
            onChange={(event) => setRemoves(event.currentTarget.checked)}
          />
        </>
      ) : (
        <Loading rows={3} height={24} label="Looking at what it would change" />
      )}
    </FormDialog>
  );
}

const PARTS = { enabled: "on or off", spec: "what it says", note: "note", runbook: "runbook" } as const;

function Effect({ of: { added, changes, removed, closes, same, kept } }: { of: ImportedRules }) {
  const parts: readonly (readonly [string, readonly string[]])[] = [
    ["Adds", added],
    ["Changes", changes.map(({ name, what }) => `${name} (${what.map((one) => PARTS[one]).join(", ")})`)],
    ["Removes", removed],
  ];
  const stays = same.length + kept.length;
  return (
    <>
      <dl className={classes.effect}>
        {parts.map(([title, names]) => (
          <div key={title}>
            <dt>
              {title} {counted(names.length, "rule")}
            </dt>
            <dd>{names.join(" · ")}</dd>
          </div>
        ))}
      </dl>
      <p>
        {closes > 0 ? `${counted(closes, "alert")} of the removed will be closed. ` : ""}
        {stays > 0 ? `${counted(stays, "rule")} ${stays === 1 ? "stays as it is" : "stay as they are"}.` : ""}
      </p>
    </>
  );
}
