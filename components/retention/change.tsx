"use client";
import { NumberInput, Radio } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { RetentionAnswer } from "@/server/contracts/retention";
import { keptWords } from "@/server/domain/kept-words";
import { RETENTION, resetRetention, saveRetention } from "../queries/retention";
import { FormDialog } from "../shell/form-dialog";
import { KINDS } from "./words";

interface ChangeProps {
  readonly item: RetentionAnswer["items"][number];
  /** The fewest days readings can be kept. */
  readonly leastDays: number;
  readonly onClose: () => void;
}

/** Sets how long one kind is kept, and says what that will remove. */
export function Change({ item: { keeps, days: before, changedAt }, leastDays, onClose }: ChangeProps) {
  const queries = useQueryClient();
  const [choice, setChoice] = useState<"days" | "ever" | "setting">(before === null ? "ever" : "days");
  const [days, setDays] = useState<number | string>(before ?? (keeps === "raw" ? 90 : 730));
  const least = keeps === "raw" ? leastDays : 1;
  const wanted = typeof days === "number" && Number.isInteger(days) && days >= least ? days : null;
  const save = useMutation({
    mutationFn: () =>
      choice === "setting" ? resetRetention(keeps) : saveRetention({ [keeps]: choice === "ever" ? null : wanted }),
    onSuccess: (answer) => {
      queries.setQueryData([RETENTION], answer);
      onClose();
    },
  });
  const isShorter = choice === "days" && (before === null || (wanted !== null && wanted < before));
  const act = choice === "ever" || wanted === null ? "Keep for ever" : `Keep ${keptWords(wanted)}`;
  return (
    <FormDialog
      title={`Keep ${KINDS[keeps].title.toLowerCase()}`}
      act={choice === "setting" ? "Go by the setting" : choice === "days" && wanted === null ? "Keep" : act}
      isDangerous={isShorter}
      failed="Nothing was changed"
      isReady={choice !== "days" || wanted !== null}
      isSending={save.isPending}
      error={save.error}
      onSubmit={() => save.mutate()}
      onClose={onClose}
    >
      <Radio.Group value={choice} onChange={(value) => setChoice(value as typeof choice)} aria-label="How long">
        <Radio value="days" label="For some days of event time" />
        <NumberInput
          aria-label="Days"
          suffix=" days"
          mt={8}
          mb={12}
          ml={32}
          w={160}
          min={least}
          max={36500}
          allowDecimal={false}
          value={days}
          disabled={choice !== "days"}
          onChange={setDays}
        />
        <Radio value="ever" label="For ever" mb={12} />
        {changedAt === null ? null : <Radio value="setting" label="As READINGS_RETENTION_DAYS says" />}
      </Radio.Group>
      {isShorter ? (
        <p>
          In ten minutes a job begins to remove the months that are older as a whole. <b>That can’t be undone</b>
          {keeps === "raw" ? ", and what comes late for them is not taken any more" : ""}.
        </p>
      ) : (
        <p>What was removed before doesn’t come back.</p>
      )}
    </FormDialog>
  );
}
