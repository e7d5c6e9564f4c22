"use client";
import { Select, Textarea, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ComponentType } from "react";
import type { AlertRule } from "@/server/contracts/rules";
import { counted } from "@/server/domain/counted";
import type { RuleSpec } from "@/server/domain/alerts/rule";
import { sentenceOf } from "@/server/domain/alerts/sentence";
import { addRule, changeRule, ruleMatchesQuery, RULES } from "../queries/rules";
import { FormDialog } from "../shell/form-dialog";
import { type Draft, draftOf, NEW_DRAFT } from "./draft";
import { type Fault, specOf, watchedBy } from "./draft-spec";
import { ConditionFields, Holding } from "./fields/condition";
import { OddnessFields } from "./fields/oddness";
import type { FieldsProps } from "./fields/parts";
import { PipelineFields } from "./fields/pipeline";
import { QualityFields } from "./fields/quality";
import { Selection } from "./fields/selection";
import { ShareOfSiteFields } from "./fields/share-of-site";
import { SilenceFields } from "./fields/silence";
import classes from "./rules.module.css";
import { Trial } from "./trial";

const TYPING_MS = 400;

/** The kinds of rules in words, each with its own fields. */
const KINDS: Readonly<Record<RuleSpec["kind"], { label: string; Fields: ComponentType<FieldsProps> }>> = {
  condition: { label: "what a device measures", Fields: ConditionFields },
  silence: { label: "a device is silent", Fields: SilenceFields },
  "share-of-site": { label: "much of a site is silent", Fields: ShareOfSiteFields },
  quality: { label: "the quality of readings", Fields: QualityFields },
  oddness: { label: "odd behaviour", Fields: OddnessFields },
  pipeline: { label: "the pipeline's health", Fields: PipelineFields },
};

interface RuleEditorProps {
  /** Null: a new one. */
  readonly rule: AlertRule | null;
  /** What a new one begins with. */
  readonly first?: Draft;
  /** The device that it is tried on first; null: one of those it watches. */
  readonly triedOn?: string | null;
  readonly onClose: () => void;
}

/** Makes or changes a rule: its fields read as the sentence it becomes, beside what that would do. */
export function RuleEditor({ rule, first = NEW_DRAFT, triedOn = null, onClose }: RuleEditorProps) {
  const queries = useQueryClient();
  const [name, setName] = useState(rule?.name ?? "");
  const [note, setNote] = useState(rule?.note ?? "");
  const [runbook, setRunbook] = useState(rule?.runbook ?? "");
  const [draft, setDraft] = useState<Draft>(rule ? draftOf(rule.spec) : first);
  const [isTried, setTried] = useState(false);
  const change = (changes: Partial<Draft>) => setDraft((before) => ({ ...before, ...changes }));
  const read = specOf(draft);
  const spec = "spec" in read ? read.spec : null;
  const faults = "faults" in read ? read.faults : [];
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
  const fields = { draft, change, faultAt };
  const { Fields } = KINDS[draft.kind];
  return (
    <FormDialog
      title={rule ? "Change rule" : "New rule"}
      size={1200}
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
      <div className={classes.editor}>
        <div className={classes.fields}>
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
              className={classes.kind ?? ""}
              data={Object.entries(KINDS).map(([value, { label }]) => ({ value, label }))}
              value={draft.kind}
              allowDeselect={false}
              onChange={(kind) => change({ kind: kind as Draft["kind"] })}
            />
          </div>
          <Fields {...fields} />
          {draft.kind === "pipeline" ? null : <Selection {...fields} />}
          {draft.kind === "condition" ? <Holding {...fields} /> : null}
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
        </div>
        <Outcome fault={isTried ? faults[0] : undefined} {...{ spec, name, draft, change, triedOn }} />
      </div>
    </FormDialog>
  );
}

interface OutcomeProps {
  /** Null: it isn't complete. */
  readonly spec: RuleSpec | null;
  readonly fault: Fault | undefined;
  readonly name: string;
  readonly draft: Draft;
  readonly change: (changes: Partial<Draft>) => void;
  readonly triedOn: string | null;
}

/** What the rule is, and what it would do. */
function Outcome({ spec, fault, name, draft, change, triedOn }: OutcomeProps) {
  const watched = draft.kind === "pipeline" ? null : watchedBy(draft);
  const text = watched === null ? null : JSON.stringify(watched);
  const [asked] = useDebouncedValue(text, TYPING_MS);
  const { data: matches, isPlaceholderData } = useQuery({
    ...ruleMatchesQuery(asked === null ? null : (JSON.parse(asked) as RuleSpec)),
    placeholderData: keepPreviousData,
  });
  const isCounted = asked !== null && asked === text && !isPlaceholderData;
  return (
    <div className={classes.outcome}>
      <div role="status">
        {spec ? (
          <>
            <p>{sentenceOf(spec)}</p>
            <small>
              {matches && isCounted
                ? matches.devices === 0
                  ? "It matches nothing there is."
                  : `It watches ${spec.kind === "condition" || spec.kind === "oddness" ? `${counted(matches.series, "series", "series")} of ` : ""}${counted(matches.devices, "device")}.`
                : " "}
            </small>
          </>
        ) : (
          <small>{fault?.message ?? "Its sentence stands here once it is complete."}</small>
        )}
      </div>
      <Trial {...{ spec, name, draft, change, matches, triedOn }} />
    </div>
  );
}
