"use client";
import { Button, Select, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { EventView } from "@/server/contracts/events";
import { useMayEverywhere } from "../queries/access";
import { sitesQuery } from "../queries/device";
import { addNote, changeNote, EVENTS, removeNote } from "../queries/events";
import { FormDialog } from "../shell/form-dialog";
import { momentOf, wallClock } from "../ui/format";
import { serverNow } from "../ui/server-time";
import { useZone } from "../ui/zone";

interface NoteDialogProps {
  /** The note that is changed; left out: a new one. */
  readonly note?: { readonly id: string; readonly text: string; readonly event: EventView };
  readonly onClose: () => void;
}

/** Writes a note, or changes one: what happened, from when to when, and where. */
export function NoteDialog({ note, onClose }: NoteDialogProps) {
  const { zone } = useZone();
  const queries = useQueryClient();
  const { data: sites } = useQuery(sitesQuery());
  const isEverywhere = useMayEverywhere("operate");
  const [text, setText] = useState(note?.text ?? "");
  const [from, setFrom] = useState(() => wallClock(note ? Date.parse(note.event.from) : serverNow(), zone));
  const [to, setTo] = useState(() => wallClock(Date.parse(note?.event.to ?? "") || serverNow(), zone));
  const [site, setSite] = useState<string | null>(null);
  const [device, setDevice] = useState("");
  const [starts, ends] = [momentOf(from, zone), momentOf(to, zone)];
  const done = () => {
    void queries.invalidateQueries({ queryKey: [EVENTS] });
    onClose();
  };
  const send = useMutation({
    mutationFn: () => {
      const times = { from: new Date(starts).toISOString(), to: new Date(ends).toISOString() };
      if (note) return changeNote(note.id, { text: text.trim(), ...times });
      return addNote({ text: text.trim(), ...times, site, device: device.trim() || null });
    },
    onSuccess: done,
  });
  const remove = useMutation({ mutationFn: () => removeNote(note!.id), onSuccess: done });
  const isOrdered = ends >= starts;
  return (
    <FormDialog
      title={note ? "Edit the note" : "Write a note"}
      act={note ? "Save" : "Write"}
      failed="Nothing was changed"
      isSending={send.isPending || remove.isPending}
      isReady={
        text.trim() !== "" && isOrdered && (note !== undefined || isEverywhere || site !== null || device.trim() !== "")
      }
      error={send.error ?? remove.error}
      onSubmit={() => send.mutate()}
      onClose={onClose}
    >
      <Textarea
        label="What happened"
        data-autofocus={matchMedia("(pointer: fine)").matches || undefined}
        autosize
        minRows={2}
        maxRows={8}
        maxLength={2000}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <TextInput
        label="From"
        type="datetime-local"
        step={1}
        value={from}
        onChange={(event) => setFrom(event.currentTarget.value)}
      />
      <TextInput
        label="To"
        type="datetime-local"
        step={1}
        value={to}
        error={isOrdered ? null : "Must not be before it begins"}
        onChange={(event) => setTo(event.currentTarget.value)}
      />
      {note ? (
        <Button size="xs" variant="default" loading={remove.isPending} onClick={() => remove.mutate()}>
          Remove the note
        </Button>
      ) : (
        <>
          <Select
            label="Site"
            placeholder={isEverywhere ? "Everywhere" : "Choose a site"}
            clearable
            value={site}
            data={sites ?? []}
            onChange={setSite}
          />
          <TextInput
            label="Device"
            description="Its id, if it is about one"
            maxLength={128}
            value={device}
            onChange={(event) => setDevice(event.currentTarget.value)}
          />
        </>
      )}
    </FormDialog>
  );
}
