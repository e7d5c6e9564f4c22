"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { RetentionAnswer } from "@/server/contracts/retention";
import { removeRule, RETENTION } from "../queries/retention";
import { FormDialog } from "../shell/form-dialog";
import { selectedWords } from "./words";

interface RemoveRuleProps {
  readonly rule: RetentionAnswer["rules"][number];
  readonly onClose: () => void;
}

/** Removes a rule, after saying what holds then. */
export function RemoveRule({ rule, onClose }: RemoveRuleProps) {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => removeRule(rule.id),
    onSuccess: (answer) => {
      queries.setQueryData([RETENTION], answer);
      onClose();
    },
  });
  return (
    <FormDialog
      title={`Remove the rule of ${selectedWords(rule)}`}
      act="Remove rule"
      isDangerous
      failed="Nothing was changed"
      isSending={remove.isPending}
      error={remove.error}
      onSubmit={() => remove.mutate()}
      onClose={onClose}
    >
      <p>
        What it holds for goes by the next rule that matches, or by the general times. In ten minutes a job begins to
        remove what is older than that. What was removed before doesn’t come back.
      </p>
    </FormDialog>
  );
}
