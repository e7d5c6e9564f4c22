"use client";
import { Textarea, TextInput } from "@mantine/core";
import type { SourcePayload } from "@/server/contracts/sources";
import classes from "./sources.module.css";

/** A payload without anything. */
export const NO_PAYLOAD: SourcePayload = {
  body: "",
  encoding: "utf-8",
  contentType: null,
  topic: null,
  retained: false,
  path: [],
  query: {},
  headers: {},
  kafka: null,
};

/** As much of a payload as is tried. */
const LONGEST = 262_144;

interface PayloadFieldsProps {
  payload: SourcePayload;
  onChange: (payload: SourcePayload) => void;
  minRows?: number;
  autoFocus?: boolean;
}

/** A payload as somebody pastes it, and what came beside it. */
export function PayloadFields({ payload, onChange, minRows = 5, autoFocus = false }: PayloadFieldsProps) {
  return (
    <div className={classes.payloadFields}>
      <Textarea
        label="Payload"
        placeholder={'{"temperature": 21.5, …}'}
        autosize
        minRows={minRows}
        maxRows={16}
        maxLength={LONGEST}
        spellCheck={false}
        autoComplete="off"
        data-autofocus={autoFocus || undefined}
        classNames={{ input: classes.mono ?? "" }}
        value={payload.body}
        onChange={(event) => onChange({ ...payload, body: event.currentTarget.value })}
      />
      <TextInput
        label="Topic, of MQTT"
        placeholder="none"
        maxLength={1024}
        autoComplete="off"
        spellCheck={false}
        value={payload.topic ?? ""}
        onChange={(event) => onChange({ ...payload, topic: event.currentTarget.value || null })}
      />
      <TextInput
        label="Query, of an address"
        placeholder="none; such as event=up"
        maxLength={2048}
        autoComplete="off"
        spellCheck={false}
        defaultValue={new URLSearchParams(payload.query).toString()}
        onChange={(event) => onChange({ ...payload, query: queryIn(event.currentTarget.value) })}
      />
    </div>
  );
}

function queryIn(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text));
}
