"use client";
import { Select, TextInput } from "@mantine/core";
import type { Draft } from "../draft";
import classes from "../rules.module.css";

/** What the fields of each kind of rule are given. */
export interface FieldsProps {
  readonly draft: Draft;
  readonly change: (changes: Partial<Draft>) => void;
  /** What is wrong at a field, once saving was tried. */
  readonly faultAt: (at: string) => string | undefined;
}

const SEVERITIES = [
  { value: "warning", label: "warning" },
  { value: "critical", label: "critical" },
];

/** How severe it is. */
export function Severity({
  value,
  onChange,
}: {
  value: Draft["severity"];
  onChange: (value: Draft["severity"]) => void;
}) {
  return (
    <div className={classes.severity}>
      <span aria-hidden>→</span>
      <Select
        aria-label="Severity"
        className={classes.short ?? ""}
        data={SEVERITIES}
        value={value}
        allowDeselect={false}
        onChange={(severity) => onChange(severity as Draft["severity"])}
      />
    </div>
  );
}

interface FigureProps extends FieldsProps {
  readonly label: string;
  readonly at: "share" | "atLeast" | "within" | "score" | "limit" | "after" | "metric" | "lasting" | "keep" | "holdFor";
  readonly placeholder?: string;
  readonly isWide?: boolean;
}

/** One field of text, in a line. */
export function Figure({ label, at, placeholder = "", isWide = false, draft, change, faultAt }: FigureProps) {
  return (
    <TextInput
      aria-label={label}
      placeholder={placeholder}
      className={(isWide ? classes.wide : classes.short) ?? ""}
      value={draft[at]}
      error={faultAt(at)}
      onChange={(event) => change({ [at]: event.currentTarget.value })}
    />
  );
}

/** For how long it has to be so before it fires, and not so before it is over. */
export function Times(props: FieldsProps) {
  return (
    <div className={classes.line}>
      <span className={classes.word}>for</span>
      <Figure label="For" at="lasting" placeholder="at once" {...props} />
      <span>over when that has not been so for</span>
      <Figure label="Keep" at="keep" placeholder="a moment" {...props} />
    </div>
  );
}
