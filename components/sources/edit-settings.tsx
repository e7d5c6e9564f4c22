"use client";
import { NumberInput, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { SourceView } from "@/server/contracts/sources";
import type { SourceDoor } from "@/server/domain/source";
import { useMay } from "../queries/access";
import { changeSource, SOURCES } from "../queries/sources";
import { FormDialog } from "../shell/form-dialog";
import { DoorFields, isDoorReady } from "./door-fields";
import { AnswerChoice } from "./new-source";
import { SiteField } from "./site-field";
import classes from "./sources.module.css";
import { labelsIn, labelsText } from "./words";

/** Changes what people say about a source, all of it at once. */
export function EditSettings({ source, onClose }: { source: SourceView; onClose: () => void }) {
  const queries = useQueryClient();
  // As it was when the form was opened: what others change meanwhile is told by the server.
  const [base] = useState(source);
  const [title, setTitle] = useState(base.title ?? "");
  const [site, setSite] = useState(base.site ?? "");
  const [answer, setAnswer] = useState(base.answer);
  const [door, setDoor] = useState<SourceDoor>(base.door);
  const [secret, setSecret] = useState("");
  const [labels, setLabels] = useState(() => labelsText(base.labels));
  const [messages, setMessages] = useState<number | string>(base.messagesPerSecond ?? "");
  const [bytes, setBytes] = useState<number | string>(base.bytesPerSecond ?? "");
  const mayThere = useMay("edit", site.trim() || null);
  const read = labelsIn(labels);
  const save = useMutation({
    mutationFn: () =>
      changeSource(base.name, {
        ...{ revision: base.revision, title: title.trim() || null, site: site.trim() || null, answer },
        ...{ labels: read ?? {}, messagesPerSecond: rateIn(messages), bytesPerSecond: rateIn(bytes) },
        door: door as never,
        ...(secret === "" ? {} : { secret }),
      }),
    onSuccess: onClose,
    onSettled: () => queries.invalidateQueries({ queryKey: [SOURCES] }),
  });
  return (
    <FormDialog
      title={`Settings of ${base.name}`}
      act="Save"
      failed="Nothing was changed"
      isReady={read !== null && mayThere && isDoorReady(door)}
      isSending={save.isPending}
      error={save.error}
      onSubmit={() => save.mutate()}
      onClose={onClose}
    >
      <TextInput
        label="Title"
        placeholder="none"
        value={title}
        onChange={(event) => setTitle(event.currentTarget.value)}
        maxLength={128}
        autoComplete="off"
        data-autofocus
      />
      <SiteField
        value={site}
        onChange={setSite}
        error={mayThere ? null : "You may have sources at your own sites alone: say which."}
      />
      <DoorFields door={door} onChange={setDoor} secret={secret} onSecret={setSecret} hasSecret={base.hasSecret} />
      {door.type === "http" ? <AnswerChoice answer={answer} onChange={setAnswer} /> : null}
      <div className={classes.pair}>
        <RateField label="Messages a second" value={messages} onChange={setMessages} />
        <RateField label="Bytes a second" value={bytes} onChange={setBytes} />
      </div>
      <Textarea
        label="Labels of its devices"
        placeholder="none; or one a line, like floor: 2"
        value={labels}
        onChange={(event) => setLabels(event.currentTarget.value)}
        error={read === null ? "Each line is a name, a colon and a text." : null}
        autosize
        minRows={1}
        maxRows={8}
        spellCheck={false}
      />
    </FormDialog>
  );
}

interface RateFieldProps {
  label: string;
  value: number | string;
  onChange: (value: number | string) => void;
}

function RateField({ label, value, onChange }: RateFieldProps) {
  return (
    <NumberInput
      label={label}
      placeholder="no limit of its own"
      min={1}
      max={10_000_000}
      allowDecimal={false}
      allowNegative={false}
      clampBehavior="strict"
      value={value}
      onChange={onChange}
    />
  );
}

const rateIn = (value: number | string): number | null => (typeof value === "number" ? value : null);
