"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { AlertRule } from "@/server/contracts/rules";
import { counted } from "@/server/domain/counted";
import { deleteRule, importRules, RULES, ruleVersionsQuery } from "../queries/rules";
import { FormDialog } from "../shell/form-dialog";
import { Age } from "../ui/age";
import { Dialog } from "../ui/dialog";
import { Loading } from "../ui/feedback";
import classes from "./rules.module.css";

interface OfRuleProps {
  readonly rule: AlertRule;
  readonly onClose: () => void;
}

/** Deletes a rule, after saying what becomes of its alerts. */
export function RemoveRule({ rule: { id, name, firing }, onClose }: OfRuleProps) {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteRule(id),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: [RULES] });
      onClose();
    },
  });
  return (
    <FormDialog
      title={`Delete ${name}`}
      act="Delete rule"
      isDangerous
      failed="Nothing was changed"
      isSending={remove.isPending}
      error={remove.error}
      onSubmit={() => remove.mutate()}
      onClose={onClose}
    >
      <p>
        {firing > 0
          ? `${counted(firing, "alert")} that ${firing === 1 ? "fires" : "fire"} will be closed, and told as closed, not as over. `
          : "Nothing of it fires now. "}
        What it decided before stays in the inbox. Export the rules first if you may want it back.
      </p>
    </FormDialog>
  );
}

/** What a rule was before. */
export function History({ rule: { id, name }, onClose }: OfRuleProps) {
  const { data, error } = useQuery(ruleVersionsQuery(id));
  return (
    <Dialog title={`Versions of ${name}`} size={640} onClose={onClose}>
      {data ? (
        <ol className={classes.versions}>
          {data.map(({ version, sentence, enabled, at, by }) => (
            <li key={version}>
              <span>{version}</span>
              <p>
                {sentence}
                {enabled ? "" : " Off."}
              </p>
              <small>
                <Age time={at} /> by {by}
              </small>
            </li>
          ))}
        </ol>
      ) : error ? (
        <p role="alert">{error.message}</p>
      ) : (
        <Loading rows={3} height={40} label="Loading the versions" />
      )}
    </Dialog>
  );
}

interface ImportProps {
  readonly file: File;
  readonly known: readonly AlertRule[];
  readonly onClose: () => void;
}

/** Takes a file of rules, after saying which it names. */
export function ImportRules({ file, known, onClose }: ImportProps) {
  const queries = useQueryClient();
  const [read, setRead] = useState<{ content: unknown; names: readonly string[] } | { trouble: string } | null>(null);
  useEffect(() => {
    void file.text().then((text) => setRead(readFile(text)));
  }, [file]);
  const send = useMutation({
    mutationFn: () => importRules((read as { content: unknown }).content),
    onSuccess: () => queries.invalidateQueries({ queryKey: [RULES] }),
  });
  const names = read && "names" in read ? read.names : [];
  const there = new Set(known.map(({ name }) => name));
  const added = names.filter((name) => !there.has(name)).length;
  if (send.data) {
    const { added: made, changed, same } = send.data;
    return (
      <Dialog title="Rules are taken in" size={480} onClose={onClose}>
        <p role="status">
          {made.length} added, {changed.length} changed, {same.length} as they were.
        </p>
      </Dialog>
    );
  }
  return (
    <FormDialog
      title={`Import ${file.name}`}
      act="Import"
      failed="Nothing was changed"
      isReady={names.length > 0}
      isSending={send.isPending}
      error={send.error}
      onSubmit={() => send.mutate()}
      onClose={onClose}
    >
      {read && "trouble" in read ? (
        <p role="alert">{read.trouble}</p>
      ) : (
        <p>
          Adds {counted(added, "rule")} and gives {counted(names.length - added, "rule")} of the same name what the file
          says. Rules that it doesn’t name stay.
        </p>
      )}
    </FormDialog>
  );
}

function readFile(text: string): { content: unknown; names: readonly string[] } | { trouble: string } {
  try {
    const content = JSON.parse(text) as { rules?: readonly { name?: unknown }[] };
    if (!Array.isArray(content.rules)) return { trouble: "This is no file of rules: export one to see its shape." };
    return { content, names: content.rules.map(({ name }) => String(name)) };
  } catch {
    return { trouble: "The file is no JSON." };
  }
}
