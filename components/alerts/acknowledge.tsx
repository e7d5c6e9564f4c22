"use client";
import { Radio, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { Alert } from "@/server/contracts/alerts";
import { acknowledgeAlert, ALERTS } from "../queries/alerts";
import { FormDialog } from "../shell/form-dialog";
import { serverNow } from "../ui/server-time";

const HOUR = 3_600_000;
const UNTIL = [
  { value: "end", label: "Until it is over or gets worse", ms: null },
  { value: "1h", label: "For an hour", ms: HOUR },
  { value: "8h", label: "For 8 hours", ms: 8 * HOUR },
  { value: "24h", label: "For a day", ms: 24 * HOUR },
] as const;

interface AcknowledgeProps {
  readonly alert: Alert;
  /** What it is about, in words. */
  readonly words: string;
  readonly onClose: () => void;
}

/** Says that one looks after an alert, with a note for the others and until when. */
export function Acknowledge({ alert, words, onClose }: AcknowledgeProps) {
  const queries = useQueryClient();
  const before = alert.acknowledged;
  const [note, setNote] = useState(before?.note ?? "");
  const [until, setUntil] = useState<string>("end");
  const send = useMutation({
    mutationFn: () => {
      const ms = UNTIL.find(({ value }) => value === until)?.ms ?? null;
      const end = ms === null ? null : new Date(serverNow() + ms).toISOString();
      return acknowledgeAlert(alert.id, { note: note.trim() || null, until: end });
    },
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: [ALERTS] });
      onClose();
    },
  });
  return (
    <FormDialog
      title="Acknowledge"
      act="Acknowledge"
      failed="Nothing was changed"
      isSending={send.isPending}
      error={send.error}
      onSubmit={() => send.mutate()}
      onClose={onClose}
    >
      <p>
        {words}
        {alert.device === null ? "" : ` · ${alert.device}`}
      </p>
      <Textarea
        label="Note"
        description="What the others should know"
        // Where there is a keyboard; else it would cover the button that a thumb is about to press.
        data-autofocus={matchMedia("(pointer: fine)").matches || undefined}
        autosize
        minRows={2}
        maxRows={6}
        maxLength={2000}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey) return;
          event.preventDefault();
          event.currentTarget.form?.requestSubmit();
        }}
      />
      <Radio.Group label="How long" value={until} onChange={setUntil}>
        {UNTIL.map(({ value, label }) => (
          <Radio key={value} value={value} label={label} mt={8} />
        ))}
      </Radio.Group>
      <p>Nobody is reminded of it meanwhile. If it turns critical, it counts as new.</p>
    </FormDialog>
  );
}
