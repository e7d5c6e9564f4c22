"use client";
import { Autocomplete, Button, Select, TagsInput, Textarea, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { AlertRule } from "@/server/contracts/rules";
import { counted } from "@/server/domain/counted";
import { CONDITIONS_MOST } from "@/server/domain/alerts/rule";
import { sentenceOf } from "@/server/domain/alerts/sentence";
import { sitesQuery } from "../queries/device";
import { metricsQuery } from "../queries/metrics";
import { addRule, changeRule, ruleMatchesQuery, RULES } from "../queries/rules";
import { FormDialog } from "../shell/form-dialog";
import { type ConditionDraft, type Draft, draftOf, type Fault, NEW_CONDITION, NEW_DRAFT, specOf } from "./draft";
import classes from "./rules.module.css";

const TYPING_MS = 400;
const WHATS = [
  { value: "value", label: "the value of" },
  { value: "changePerMinute", label: "the change per minute of" },
  { value: "minuteMean", label: "the minute mean of" },
  { value: "minuteMin", label: "the minute minimum of" },
  { value: "minuteMax", label: "the minute maximum of" },
];
const RELATIONS = [
  { value: "above", label: "is above" },
  { value: "below", label: "is below" },
  { value: "outside", label: "is outside of" },
  { value: "equals", label: "equals" },
  { value: "true", label: "is true" },
  { value: "false", label: "is false" },
  { value: "invalid", label: "is out of its valid range" },
];
const SEVERITIES = [
  { value: "warning", label: "warning" },
  { value: "critical", label: "critical" },
];

interface RuleEditorProps {
  /** Null: a new one. */
  readonly rule: AlertRule | null;
  readonly onClose: () => void;
}

/** Makes or changes a rule: its fields read as the sentence it becomes. */
export function RuleEditor({ rule, onClose }: RuleEditorProps) {
  const queries = useQueryClient();
  const [name, setName] = useState(rule?.name ?? "");
  const [note, setNote] = useState(rule?.note ?? "");
  const [runbook, setRunbook] = useState(rule?.runbook ?? "");
  const [draft, setDraft] = useState<Draft>((rule && draftOf(rule.spec)) ?? NEW_DRAFT);
  const [isTried, setTried] = useState(false);
  const change = (changes: Partial<Draft>) => setDraft((before) => ({ ...before, ...changes }));
  const read = specOf(draft);
  const spec = "spec" in read ? read.spec : null;
  const faults = "faults" in read ? read.faults : [];
  const [asked] = useDebouncedValue(spec === null ? null : JSON.stringify(spec), TYPING_MS);
  const isAsked = spec !== null && asked === JSON.stringify(spec);
  const matches = useQuery(ruleMatchesQuery(isAsked ? spec : null));
  const save = useMutation({
    mutationFn: () => {
      const said = { name: name.trim(), note: note.trim() || null, runbook: runbook.trim() || null, spec: spec! };
      return rule ? changeRule(rule.id, { ...said, version: rule.version }) : addRule({ ...said, enabled: true });
    },
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: [RULES] });
      onClose();
    },
  });
  const faultAt = (at: string) => (isTried ? faults.find((fault) => fault.at === at)?.message : undefined);
  return (
    <FormDialog
      title={rule ? "Change rule" : "New rule"}
      size={720}
      act={rule ? "Save rule" : "Add rule"}
      failed="Nothing was changed"
      isSending={save.isPending}
      error={save.error}
      onSubmit={() => {
        setTried(true);
        if (spec !== null && name.trim() !== "") save.mutate();
      }}
      onClose={onClose}
    >
      <TextInput
        label="Name"
        data-autofocus
        value={name}
        maxLength={128}
        error={isTried && name.trim() === "" ? "Say what it is called" : undefined}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <div className={classes.line}>
        <span className={classes.word}>When</span>
        <Select
          aria-label="What it is about"
          className={classes.wide ?? ""}
          data={[
            { value: "condition", label: "what a device measures" },
            { value: "silence", label: "a device is silent" },
          ]}
          value={draft.kind}
          allowDeselect={false}
          onChange={(kind) => change({ kind: kind as Draft["kind"] })}
        />
      </div>
      {draft.kind === "condition" ? (
        <Conditions draft={draft} faults={isTried ? faults : []} change={change} />
      ) : (
        <div className={classes.line}>
          <span className={classes.word}>for</span>
          <TextInput
            aria-label="Silent for"
            placeholder="longer than is usual for it"
            className={classes.wide ?? ""}
            value={draft.after}
            error={faultAt("after")}
            onChange={(event) => change({ after: event.currentTarget.value })}
          />
          <span>→</span>
          <Severity value={draft.severity} onChange={(severity) => change({ severity })} />
        </div>
      )}
      {draft.kind === "condition" ? (
        <div className={classes.line}>
          <span className={classes.word}>for</span>
          <TextInput
            aria-label="For"
            placeholder="at once"
            className={classes.short ?? ""}
            value={draft.lasting}
            error={faultAt("lasting")}
            onChange={(event) => change({ lasting: event.currentTarget.value })}
          />
          <span>over when that has not been so for</span>
          <TextInput
            aria-label="Keep"
            placeholder="a moment"
            className={classes.short ?? ""}
            value={draft.keep}
            error={faultAt("keep")}
            onChange={(event) => change({ keep: event.currentTarget.value })}
          />
        </div>
      ) : null}
      <Selection draft={draft} faultAt={faultAt} change={change} />
      {draft.kind === "condition" ? (
        <div className={classes.line}>
          <span className={classes.word}>a value holds</span>
          <Select
            aria-label="A value holds"
            className={classes.hold ?? ""}
            data={[
              { value: "auto", label: "three times the device's usual gap" },
              { value: "until-next", label: "until the next one" },
              { value: "fixed", label: "for a time" },
            ]}
            value={draft.holds}
            allowDeselect={false}
            onChange={(holds) => change({ holds: holds as Draft["holds"] })}
          />
          {draft.holds === "fixed" ? (
            <TextInput
              aria-label="Holds for"
              placeholder="5 min"
              className={classes.short ?? ""}
              value={draft.holdFor}
              error={faultAt("holdFor")}
              onChange={(event) => change({ holdFor: event.currentTarget.value })}
            />
          ) : null}
        </div>
      ) : null}
      <div className={classes.pair}>
        <Textarea
          label="Note"
          autosize
          minRows={1}
          maxLength={2000}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        <Textarea
          label="What to do"
          autosize
          minRows={1}
          maxLength={2000}
          value={runbook}
          onChange={(event) => setRunbook(event.currentTarget.value)}
        />
      </div>
      <div className={classes.outcome} role="status">
        {spec ? (
          <>
            <p>{sentenceOf(spec)}</p>
            <small>
              {matches.data && isAsked
                ? matches.data.devices === 0
                  ? "It matches nothing there is."
                  : `It watches ${counted(matches.data.series, "series", "series")} of ${counted(matches.data.devices, "device")}.`
                : " "}
            </small>
          </>
        ) : (
          <small>{isTried ? faults[0]?.message : "Its sentence stands here once it is complete."}</small>
        )}
      </div>
    </FormDialog>
  );
}

interface PartProps {
  readonly draft: Draft;
  readonly change: (changes: Partial<Draft>) => void;
}

function Conditions({ draft, faults, change }: PartProps & { faults: readonly Fault[] }) {
  const { conditions, match } = draft;
  const { data: metrics } = useQuery(metricsQuery());
  const names = ["*", ...(metrics?.items.map(({ name }) => name) ?? [])];
  const set = (i: number, changes: Partial<ConditionDraft>) =>
    change({ conditions: conditions.map((one, at) => (at === i ? { ...one, ...changes } : one)) });
  return (
    <>
      {conditions.map((one, i) => (
        <fieldset key={i} className={classes.condition}>
          <legend className={classes.hidden}>Condition {i + 1}</legend>
          <div className={classes.line}>
            {i === 0 ? null : (
              <Select
                aria-label="And or or"
                className={classes.short ?? ""}
                data={[
                  { value: "all", label: "and" },
                  { value: "any", label: "or" },
                ]}
                value={match}
                allowDeselect={false}
                onChange={(value) => change({ match: value as Draft["match"] })}
              />
            )}
            <Select
              aria-label="What of it"
              className={classes.wide ?? ""}
              data={WHATS}
              value={one.what}
              allowDeselect={false}
              onChange={(what) => set(i, { what: what as ConditionDraft["what"] })}
            />
            <Autocomplete
              aria-label="Metric"
              placeholder="metric"
              className={classes.metric ?? ""}
              data={names}
              value={one.metric}
              error={messageAt(faults, `conditions.${i}.metric`)}
              onChange={(metric) => set(i, { metric })}
            />
            <Select
              aria-label="Is"
              className={classes.relation ?? ""}
              data={RELATIONS}
              value={one.is}
              allowDeselect={false}
              onChange={(is) => set(i, { is: is as ConditionDraft["is"] })}
            />
            {conditions.length > 1 ? (
              <Button
                size="compact-sm"
                variant="subtle"
                aria-label={`Leave out condition ${i + 1}`}
                onClick={() => change({ conditions: conditions.filter((_, at) => at !== i) })}
              >
                Leave out
              </Button>
            ) : null}
          </div>
          {one.is === "true" || one.is === "false" || one.is === "invalid" ? (
            <div className={classes.line}>
              <span className={classes.word}>→</span>
              <Severity value={one.severity} onChange={(severity) => set(i, { severity })} />
            </div>
          ) : (
            <div className={classes.limits}>
              {(["warning", "critical", ...(one.is === "equals" ? [] : (["clear"] as const))] as const).map((limit) => (
                <TextInput
                  key={limit}
                  label={LIMITS[limit]}
                  placeholder={one.is === "outside" ? "10 to 80" : "none"}
                  value={one[limit]}
                  error={messageAt(faults, `conditions.${i}.${limit}`)}
                  onChange={(event) => set(i, { [limit]: event.currentTarget.value })}
                />
              ))}
            </div>
          )}
        </fieldset>
      ))}
      {conditions.length < CONDITIONS_MOST ? (
        <div className={classes.line}>
          <Button
            size="compact-sm"
            variant="subtle"
            onClick={() => change({ conditions: [...conditions, NEW_CONDITION] })}
          >
            Add a condition
          </Button>
        </div>
      ) : null}
    </>
  );
}

const LIMITS = { warning: "Warning", critical: "Critical", clear: "Over again at" } as const;

function messageAt(faults: readonly Fault[], at: string): string | undefined {
  return faults.find((fault) => fault.at === at)?.message;
}

function Severity({ value, onChange }: { value: Draft["severity"]; onChange: (value: Draft["severity"]) => void }) {
  return (
    <Select
      aria-label="Severity"
      className={classes.short ?? ""}
      data={SEVERITIES}
      value={value}
      allowDeselect={false}
      onChange={(severity) => onChange(severity as Draft["severity"])}
    />
  );
}

function Selection({ draft, faultAt, change }: PartProps & { faultAt: (at: string) => string | undefined }) {
  const { data: sites } = useQuery(sitesQuery());
  return (
    <div className={classes.pair}>
      <Tags
        label="at sites"
        all="all sites"
        value={draft.sites}
        data={sites ?? []}
        error={faultAt("sites")}
        onChange={(value) => change({ sites: value })}
      />
      <Tags
        label="of types"
        all="all types"
        value={draft.types}
        error={faultAt("types")}
        onChange={(value) => change({ types: value })}
      />
      <Tags
        label="devices"
        all="all, or press-*"
        value={draft.devices}
        error={faultAt("devices")}
        onChange={(value) => change({ devices: value })}
      />
      <Tags
        label="without"
        all="none"
        value={draft.without}
        error={faultAt("without")}
        onChange={(value) => change({ without: value })}
      />
      <Tags
        label="with labels"
        all="line:4"
        value={draft.labels}
        error={faultAt("labels")}
        onChange={(value) => change({ labels: value })}
      />
    </div>
  );
}

interface TagsProps {
  label: string;
  all: string;
  value: readonly string[];
  data?: readonly string[];
  error: string | undefined;
  onChange: (value: string[]) => void;
}

function Tags({ label, all, value, data = [], error, onChange }: TagsProps) {
  return (
    <TagsInput
      label={label}
      placeholder={value.length === 0 ? all : ""}
      value={[...value]}
      data={[...data]}
      error={error}
      acceptValueOnBlur
      onChange={onChange}
    />
  );
}
