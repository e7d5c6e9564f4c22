"use client";
import { Autocomplete, Button, Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { CONDITIONS_MOST } from "@/server/domain/alerts/rule";
import { metricsQuery } from "../../queries/metrics";
import { type ConditionDraft, type Draft, NEW_CONDITION } from "../draft";
import classes from "../rules.module.css";
import { type FieldsProps, Figure, Severity, Times } from "./parts";

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
const LIMITS = { warning: "Warning", critical: "Critical", clear: "Over again at" } as const;

/** What a device measures: up to eight conditions, and for how long. */
export function ConditionFields(props: FieldsProps) {
  const { draft, change } = props;
  const { conditions } = draft;
  return (
    <>
      {conditions.map((one, i) => (
        <OneCondition key={i} {...props} one={one} i={i} />
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
      <Times {...props} />
    </>
  );
}

function OneCondition({ draft, change, faultAt, one, i }: FieldsProps & { one: ConditionDraft; i: number }) {
  const { conditions, match } = draft;
  const { data: metrics } = useQuery(metricsQuery());
  const names = ["*", ...(metrics?.items.map(({ name }) => name) ?? [])];
  const set = (changes: Partial<ConditionDraft>) =>
    change({ conditions: conditions.map((other, at) => (at === i ? { ...other, ...changes } : other)) });
  return (
    <fieldset className={classes.condition}>
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
          onChange={(what) => set({ what: what as ConditionDraft["what"] })}
        />
        <Autocomplete
          aria-label="Metric"
          placeholder="metric"
          className={classes.metric ?? ""}
          data={names}
          value={one.metric}
          error={faultAt(`conditions.${i}.metric`)}
          onChange={(metric) => set({ metric })}
        />
        <Select
          aria-label="Is"
          className={classes.relation ?? ""}
          data={RELATIONS}
          value={one.is}
          allowDeselect={false}
          onChange={(is) => set({ is: is as ConditionDraft["is"] })}
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
          <Severity value={one.severity} onChange={(severity) => set({ severity })} />
        </div>
      ) : (
        <div className={classes.limits}>
          {(["warning", "critical", ...(one.is === "equals" ? [] : (["clear"] as const))] as const).map((limit) => (
            <TextInput
              key={limit}
              label={LIMITS[limit]}
              placeholder={one.is === "outside" ? "10 to 80" : "none"}
              value={one[limit]}
              error={faultAt(`conditions.${i}.${limit}`)}
              onChange={(event) => set({ [limit]: event.currentTarget.value })}
            />
          ))}
        </div>
      )}
    </fieldset>
  );
}

/** For how long a value says something when no other comes. */
export function Holding(props: FieldsProps) {
  const { draft, change } = props;
  return (
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
      {draft.holds === "fixed" ? <Figure label="Holds for" at="holdFor" placeholder="5 min" {...props} /> : null}
    </div>
  );
}
