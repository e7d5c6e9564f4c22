"use client";
import { Checkbox, NumberInput, Select, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { RetentionAnswer, RetentionRuleBody } from "@/server/contracts/retention";
import { counted } from "@/server/domain/counted";
import { faultOf, KEPT, type Kept } from "@/server/domain/retention";
import { estimateAddress, estimateQuery, RETENTION, saveRule } from "../queries/retention";
import { saidOf } from "../queries/request";
import { FormDialog } from "../shell/form-dialog";
import classes from "./retention.module.css";
import { estimateWords, KINDS, SELECTED } from "./words";

interface RuleDialogProps {
  /** Null: a new one. */
  readonly rule: RetentionAnswer["rules"][number] | null;
  readonly general: Record<Kept, number | null>;
  readonly leastDays: number;
  readonly onClose: () => void;
}

/** Adds or changes a rule, and says before it is saved what it will remove. */
export function RuleDialog({ rule, general, leastDays, onClose }: RuleDialogProps) {
  const queries = useQueryClient();
  const [selects, setSelects] = useState<RetentionRuleBody["selects"]>(rule?.selects ?? "metric");
  const [pattern, setPattern] = useState(rule?.pattern ?? "");
  const [days, setDays] = useState<Record<Kept, number | string | null>>(
    rule ? { raw: rule.raw, minutes: rule.minutes, hours: rule.hours } : general,
  );
  const wanted = bodyOf(selects, pattern.trim(), days);
  const fault = wanted && faultOf(wanted, leastDays);
  const sound = wanted !== null && fault === null ? estimateAddress(wanted) : null;
  const [asked] = useDebouncedValue(sound, TYPING_MS);
  const estimate = useQuery(estimateQuery(asked));
  const isAsked = asked !== null && asked === sound;
  const found = isAsked ? estimate.data : undefined;
  const save = useMutation({
    mutationFn: () => saveRule(wanted!),
    onSuccess: (answer) => {
      queries.setQueryData([RETENTION], answer);
      onClose();
    },
  });
  return (
    <FormDialog
      title={rule ? "Change rule" : "Add rule"}
      act="Save rule"
      isDangerous={found !== undefined && found.series > 0 && Object.values(found.before).some((time) => time !== null)}
      failed="Nothing was changed"
      isReady={found !== undefined}
      isSending={save.isPending}
      error={save.error}
      onSubmit={() => save.mutate()}
      onClose={onClose}
    >
      <div className={classes.selector}>
        <Select
          label="Of"
          data={Object.entries(SELECTED).map(([value, { title }]) => ({ value, label: title }))}
          value={selects}
          allowDeselect={false}
          disabled={rule !== null}
          onChange={(value) => setSelects(value as typeof selects)}
        />
        <TextInput
          label="Name"
          placeholder={SELECTED[selects].example}
          description="* stands for any characters"
          inputWrapperOrder={["label", "input", "description"]}
          value={pattern}
          disabled={rule !== null}
          maxLength={128}
          data-autofocus={rule === null || undefined}
          onChange={(event) => setPattern(event.currentTarget.value)}
        />
      </div>
      {KEPT.map((keeps) => (
        <div key={keeps} className={classes.days}>
          <span>{KINDS[keeps].title}</span>
          <NumberInput
            aria-label={`${KINDS[keeps].title}, days`}
            suffix=" days"
            min={keeps === "raw" ? leastDays : 1}
            max={36500}
            allowDecimal={false}
            value={days[keeps] ?? ""}
            placeholder="for ever"
            disabled={days[keeps] === null}
            error={fault?.at === keeps}
            onChange={(value) => setDays({ ...days, [keeps]: value })}
          />
          <Checkbox
            label="For ever"
            checked={days[keeps] === null}
            onChange={(event) =>
              setDays({ ...days, [keeps]: event.currentTarget.checked ? null : (general[keeps] ?? START_DAYS[keeps]) })
            }
          />
        </div>
      ))}
      <p role="status" className={classes.estimate}>
        {fault ? (
          `${KINDS[fault.at].title} ${fault.message}.`
        ) : wanted === null ? (
          "Name what it is for, and how long each is kept."
        ) : isAsked && estimate.error ? (
          saidOf(estimate.error)
        ) : found === undefined ? (
          "Looking what it will remove…"
        ) : (
          <>
            It holds for {counted(found.series, "series", "series")} of {counted(found.devices, "device")}.{" "}
            {estimateWords(found)}
          </>
        )}
      </p>
    </FormDialog>
  );
}

/** A pause in typing after which it is looked what the rule would do. */
const TYPING_MS = 300;
/** What the fields begin with where the general time is for ever. */
const START_DAYS: Record<Kept, number> = { raw: 90, minutes: 730, hours: 3650 };

/** Null while something of it is still to be filled in. */
function bodyOf(
  selects: RetentionRuleBody["selects"],
  pattern: string,
  days: Record<Kept, number | string | null>,
): RetentionRuleBody | null {
  if (pattern === "") return null;
  for (const value of Object.values(days))
    if (value !== null && (typeof value !== "number" || !Number.isInteger(value) || value < 1)) return null;
  return { selects, pattern, ...(days as Record<Kept, number | null>) };
}
