"use client";
import { Button, FileButton, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import type { SourceDetail, SourceMappingView } from "@/server/contracts/sources";
import { counted } from "@/server/domain/counted";
import { readable } from "@/server/domain/readable";
import { saidOf } from "../queries/request";
import { saveMapping, SOURCES } from "../queries/sources";
import { Failure } from "../ui/feedback";
import form from "../ui/form.module.css";
import { Link } from "../ui/link";
import { saveFile } from "../ui/save-file";
import { Section } from "../ui/section";
import { MarkShape } from "../ui/state-mark";
import classes from "./mapping.module.css";
import { type MappingFault, type MappingReading, mappingText } from "./mapping-text";

const LONGEST = 256 * 1024;

interface MappingFormProps {
  detail: SourceDetail;
  /** The version that is changed here. */
  base: SourceMappingView;
  text: string;
  reading: MappingReading;
  faults: readonly MappingFault[];
  isChanged: boolean;
  /** True once the text as it is was tried, and is a mapping. */
  isTried: boolean;
  mayEdit: boolean;
  onText: (text: string) => void;
  onSaved: (version: SourceMappingView) => void;
  /** Gives up what is written for the version that is in use now. */
  onTakeCurrent: () => void;
  /** What a change does to the samples. */
  effect: ReactNode;
}

/** The mapping as JSON, what a change of it does, and the button that saves it. */
export function MappingForm(props: MappingFormProps) {
  const { detail, base, text, reading, faults, isChanged, isTried, mayEdit, onText, onSaved, onTakeCurrent, effect } =
    props;
  const { source, mapping: current, openDeadLetters } = detail;
  const queries = useQueryClient();
  const [note, setNote] = useState("");
  const [savedAs, setSavedAs] = useState<number | null>(null);
  const isOvertaken = current.version > base.version;
  const save = useMutation({
    mutationFn: () => {
      if (!reading.ok) throw new Error(reading.why);
      return saveMapping(source.name, { mapping: reading.mapping, note: note.trim() || null, base: base.version });
    },
    onSuccess: (version) => {
      setSavedAs(version.version);
      setNote("");
      onSaved(version);
    },
    onSettled: () => queries.invalidateQueries({ queryKey: [SOURCES] }),
  });
  const write = (value: string) => {
    onText(value);
    setSavedAs(null);
    save.reset();
  };
  const isReady = isChanged && reading.ok && faults.length === 0 && isTried && !isOvertaken;
  return (
    <Section
      title="Mapping"
      aside={
        <span className={form.buttons}>
          <Button
            size="compact-xs"
            variant="default"
            onClick={() => saveFile(`${source.name}-mapping-v${base.version}.json`, text, "application/json")}
          >
            Export
          </Button>
          {mayEdit ? (
            <>
              <FileButton accept="application/json,.json" onChange={(file) => file && void file.text().then(write)}>
                {(button) => (
                  <Button size="compact-xs" variant="default" {...button}>
                    Import…
                  </Button>
                )}
              </FileButton>
              <Button
                size="compact-xs"
                variant="default"
                disabled={!isChanged}
                onClick={() => write(mappingText(base.mapping))}
              >
                Undo changes
              </Button>
            </>
          ) : null}
        </span>
      }
    >
      <form
        aria-label="Mapping"
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady) save.mutate();
        }}
      >
        <Textarea
          aria-label="Mapping as JSON"
          autosize
          minRows={8}
          maxRows={24}
          maxLength={LONGEST}
          spellCheck={false}
          autoComplete="off"
          readOnly={!mayEdit}
          classNames={{ input: classes.json ?? "" }}
          value={text}
          onChange={(event) => write(event.currentTarget.value)}
        />
        <div role="status" aria-label="Whether it is a mapping">
          <Validity reading={reading} faults={faults} />
        </div>
        {effect}
        {isOvertaken ? (
          <div className={classes.overtaken} role="alert">
            <MarkShape mark="warning" />
            <div>
              <p>
                <b>Version {current.version} was saved meanwhile</b> by {readable(current.madeBy)}; yours was made from
                version {base.version}. Export yours if you want to keep it.
              </p>
              <Button size="xs" variant="default" onClick={onTakeCurrent}>
                Go on with version {current.version}
              </Button>
            </div>
          </div>
        ) : null}
        {save.error ? (
          <Failure what="It was not saved" why={saidOf(save.error)} advice="What you wrote is kept here." />
        ) : null}
        {savedAs !== null && !isChanged ? (
          <p className={classes.sum} role="status">
            <MarkShape mark="ok" />
            <span>
              Version {savedAs} is in use: what comes from now on is read by it.{" "}
              {openDeadLetters > 0 ? (
                <Link href={`/dead-letters?source=${source.name}`}>
                  Resend{" "}
                  {openDeadLetters >= 1000 ? "1,000 or more dead letters" : counted(openDeadLetters, "dead letter")}{" "}
                  with it
                </Link>
              ) : null}
            </span>
          </p>
        ) : null}
        {mayEdit ? (
          <div className={classes.saveBar}>
            <TextInput
              aria-label="Note"
              size="xs"
              placeholder="What was changed, and why"
              value={note}
              onChange={(event) => setNote(event.currentTarget.value)}
              maxLength={500}
              autoComplete="off"
            />
            <Button size="xs" type="submit" disabled={!isReady} loading={save.isPending}>
              Save as version {Math.max(base.version, current.version) + 1}
            </Button>
          </div>
        ) : null}
      </form>
    </Section>
  );
}

function Validity({ reading, faults }: Pick<MappingFormProps, "reading" | "faults">) {
  if (!reading.ok)
    return (
      <p className={classes.sum}>
        <MarkShape mark="warning" />
        {reading.why}
      </p>
    );
  if (faults.length === 0) return null;
  return (
    <ul className={classes.refusals}>
      {faults.map(({ path, message, line }, i) => (
        <li key={`${i} ${path}`}>
          {line === null ? null : `Line ${line}, `}
          <b>{path || "the mapping"}</b>: {message}
        </li>
      ))}
    </ul>
  );
}
