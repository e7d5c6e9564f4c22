"use client";
import { TextInput } from "@mantine/core";
import { useState } from "react";
import { type Condition, conditionText, filterText, parseFilter } from "@/server/domain/device-filter";
import list from "./list-page.module.css";
import classes from "./where.module.css";

interface WhereProps {
  /** What the address says. */
  where: string;
  onWhere: (where: string | null) => void;
}

/** Conditions of the list, typed as text and shown as chips; one that can't be read stays in the field, with what is wrong where. */
export function Where({ where, onWhere }: WhereProps) {
  const known = parseFilter(where);
  // An address that can't be read narrows nothing: what it says stands in the field, with what is wrong.
  const [typed, setTyped] = useState("problem" in known ? where : "");
  const [problem, setProblem] = useState("problem" in known ? saidOf(known.problem) : null);
  const conditions: readonly Condition[] = "conditions" in known ? known.conditions : [];
  const add = () => {
    const both = parseFilter([filterText(conditions), typed].filter((text) => text.trim() !== "").join(" and "));
    const own = parseFilter(typed);
    if ("problem" in own) setProblem(saidOf(own.problem));
    else if ("problem" in both) setProblem(both.problem.message);
    else {
      onWhere(filterText(both.conditions) || null);
      setTyped("");
    }
  };
  return (
    <>
      <form
        className={classes.where}
        onSubmit={(event) => {
          event.preventDefault();
          add();
        }}
      >
        <TextInput
          size="xs"
          aria-label="Condition"
          placeholder="battery < 20 and silent >= 1 h, then Enter"
          value={typed}
          error={problem}
          onChange={(event) => {
            setTyped(event.currentTarget.value);
            setProblem(null);
          }}
        />
      </form>
      {conditions.map((condition, i) => (
        <button
          key={conditionText(condition)}
          type="button"
          className={list.chip}
          aria-pressed
          data-condition={conditionText(condition)}
          title={`Leave out ${conditionText(condition)}`}
          onClick={() => onWhere(filterText(conditions.filter((_, other) => other !== i)) || null)}
        >
          <span className={classes.label}>{conditionText(condition)}</span>
          <span aria-hidden="true">×</span>
        </button>
      ))}
    </>
  );
}

function saidOf({ message, at }: { readonly message: string; readonly at: number }): string {
  return `${message} (character ${at + 1})`;
}
