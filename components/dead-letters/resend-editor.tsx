"use client";
import { Button, Textarea } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { DeadLetterView, ResendPreview } from "@/server/contracts/dead-letters";
import { counted } from "@/server/domain/counted";
import { DEAD_LETTERS, previewQuery, resendLetter } from "../queries/dead-letters";
import { adviceOn } from "../queries/request";
import { prettyJson } from "../ui/pretty-json";
import { Failure } from "../ui/feedback";
import form from "../ui/form.module.css";
import { Section } from "../ui/section";
import { type Mark, MarkShape } from "../ui/state-mark";
import { textOf } from "./bytes";
import { type JsonReading, lineAndColumn, readJsonText } from "../ui/json-text";
import classes from "./letter.module.css";

/** The pause in typing after which the message is checked, in milliseconds. */
const PAUSE_MS = 500;
const LONGEST = 256 * 1024;

interface ResendEditorProps {
  letter: DeadLetterView;
  /** Called with the dead letter as it is then, and the device the message names. */
  onSent: (letter: DeadLetterView, device: string | null) => void;
  onClose: () => void;
}

/** The message to be edited, what would come of it, and the button that sends it. */
export function ResendEditor({ letter, onSent, onClose }: ResendEditorProps) {
  const queries = useQueryClient();
  const [original] = useState(() => textOf(letter));
  const [text, setText] = useState(original);
  const [asked, setAsked] = useState(original);
  const askLater = useDebouncedCallback((value: string) => setAsked(value), PAUSE_MS);
  const messageOf = (value: string) => (value === original ? null : value);
  const check = useQuery(previewQuery(letter.id, messageOf(asked)));
  const preview = asked === text ? check.data : undefined;
  const reading = readJsonText(text);
  const send = useMutation({
    mutationFn: () => {
      const message = messageOf(text);
      return resendLetter(letter.id, { ...(message === null ? {} : { message }), dryRun: false });
    },
    onSuccess: (answer) => onSent(answer.letter, deviceIn(text)),
    onError: () => void queries.invalidateQueries({ queryKey: [DEAD_LETTERS] }),
  });
  const write = (value: string) => {
    setText(value);
    askLater(value);
    send.reset();
  };
  const checkNow = () => {
    askLater.cancel();
    if (asked === text) void check.refetch();
    else setAsked(text);
  };
  const isChecking = asked !== text || check.isFetching;
  return (
    <Section
      title="Edit and resend"
      aside={
        <span className={classes.tools}>
          <Button size="compact-xs" variant="default" disabled={!reading.ok} onClick={() => write(prettyJson(text))}>
            Pretty
          </Button>
          <Button size="compact-xs" variant="default" disabled={text === original} onClick={() => write(original)}>
            As received
          </Button>
        </span>
      }
    >
      <form
        aria-label="Edit and resend"
        className={classes.editor}
        onSubmit={(event) => {
          event.preventDefault();
          if (preview?.ok) send.mutate();
        }}
      >
        <Textarea
          aria-label="Message to send"
          autosize
          minRows={5}
          maxRows={18}
          maxLength={LONGEST}
          spellCheck={false}
          autoComplete="off"
          data-autofocus
          autoFocus
          value={text}
          classNames={{ input: classes.text ?? "" }}
          onChange={(event) => write(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
            event.preventDefault();
            checkNow();
          }}
        />
        <p className={classes.validity} data-fault={!reading.ok || undefined}>
          <MarkShape mark={reading.ok ? "ok" : "warning"} />
          {validityOf(reading, text)}
          {letter.encoding === "base64" && text === original
            ? " Bytes that aren't UTF-8 stand as \ufffd here; unchanged, the original bytes are sent."
            : null}
        </p>
        <div role="status" aria-label="What would come of it" className={classes.check}>
          {preview ? (
            <Preview preview={preview} isJson={reading.ok} />
          ) : isChecking ? (
            <p className={classes.muted}>Checking…</p>
          ) : null}
        </div>
        {!preview && !isChecking && check.error ? (
          <Failure
            what="What would come of it could not be found out"
            why={check.error.message}
            advice="Nothing was sent. What you wrote is kept here."
            onRetry={checkNow}
          />
        ) : null}
        {send.error ? (
          <Failure what="It was not sent, as far as is known" why={send.error.message} advice={adviceOn(send.error)} />
        ) : null}
        <div className={form.buttons}>
          <Button size="xs" variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button size="xs" variant="default" onClick={checkNow} loading={check.isFetching} title="Check (Ctrl Enter)">
            Check
          </Button>
          <Button size="xs" type="submit" disabled={!preview?.ok} loading={send.isPending}>
            {text === original ? "Resend as received" : "Resend edited message"}
          </Button>
        </div>
      </form>
    </Section>
  );
}

/** The preview of a resend. Of a text that isn't JSON, the line above says so, and where. */
function Preview({ preview, isJson }: { preview: ResendPreview; isJson: boolean }) {
  const { ok, readings } = preview;
  const problems = preview.problems.filter(({ reason }) => isJson || reason !== "notJson");
  const mark: Mark = ok && problems.length === 0 ? "ok" : "warning";
  return (
    <>
      <p className={classes.verdict}>
        <MarkShape mark={mark} />
        {ok
          ? `${counted(readings, "reading")} would be stored${problems.length > 0 ? ", and not all of it" : ""}. A reading that is there already counts as a repeat.`
          : readings > 0
            ? `It would be refused in part: ${counted(readings, "reading")} would be stored.`
            : "It would be refused again."}
      </p>
      {problems.length > 0 ? (
        <ul className={classes.problems}>
          {problems.map(({ reason, title, field, detail }) => (
            <li key={`${reason} ${field}`}>
              <b>{title}</b>
              {field === null ? null : ` · ${field}`}: {detail}
            </li>
          ))}
        </ul>
      ) : null}
    </>
  );
}

function validityOf(reading: JsonReading, text: string): string {
  if (reading.ok)
    return reading.value.kind === "object" ? "Valid JSON." : "Valid JSON, but a message is an object {…}.";
  const { line, column } = lineAndColumn(text, reading.at);
  return `Not JSON: at line ${line}, column ${column}, ${reading.why}.`;
}

function deviceIn(text: string): string | null {
  try {
    const message = JSON.parse(text) as { device?: unknown } | null;
    return typeof message?.device === "string" ? message.device : null;
  } catch {
    return null;
  }
}
