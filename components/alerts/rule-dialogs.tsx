"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { AlertRule } from "@/server/contracts/rules";
import { counted } from "@/server/domain/counted";
import { deleteRule, RULES, ruleVersionsQuery } from "../queries/rules";
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
