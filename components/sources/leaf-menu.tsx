"use client";
import { Button, Popover, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";
import type { MappingInput } from "@/server/domain/mapping/mapping";
import { isName } from "@/server/domain/terms";
import form from "../ui/form.module.css";
import { leafWords } from "./leaf-words";
import { canName, ignored, meaningNone, metricOf, renamed, unitSaid, used, withUnit } from "./mapping-edits";
import { type Leaf, scalarIn } from "./payload-lines";
import classes from "./mapping.module.css";

interface LeafMenuProps {
  leaf: Leaf;
  /** The value as it is written. */
  text: string;
  mapping: MappingInput;
  onChange: (mapping: MappingInput) => void;
  onPoint: (path: string | null) => void;
  children: ReactNode;
}

/** A value of a payload that opens what can be done with it: call it otherwise, say its unit, leave it out. */
export function LeafMenu({ leaf, text, mapping, onChange, onPoint, children }: LeafMenuProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Popover
      opened={isOpen}
      onChange={setOpen}
      position="bottom-start"
      width={300}
      trapFocus
      returnFocus
      withinPortal
      shadow="sm"
      transitionProps={{ duration: 0 }}
    >
      <Popover.Target>
        <button
          type="button"
          className={classes.leaf}
          aria-haspopup="dialog"
          onClick={() => setOpen((was) => !was)}
          onFocus={() => onPoint(leaf.path)}
          onBlur={() => onPoint(null)}
        >
          {children}
        </button>
      </Popover.Target>
      <Popover.Dropdown aria-label={`Value ${leaf.path}`}>
        <Choices
          leaf={leaf}
          text={text}
          mapping={mapping}
          onChange={(next) => {
            setOpen(false);
            onChange(next);
          }}
        />
      </Popover.Dropdown>
    </Popover>
  );
}

function Choices({ leaf, text, mapping, onChange }: Pick<LeafMenuProps, "leaf" | "text" | "mapping" | "onChange">) {
  const { path, as, why } = leaf;
  const { word, more } = leafWords(leaf);
  const value = scalarIn(text);
  const metric = as === "reading" ? why : as === "refused" ? metricOf(mapping, path) : null;
  const isNamed = canName(mapping, path);
  const taken = as === "ignored" ? used(mapping, path, why) : null;
  return (
    <div className={classes.choices}>
      <p>
        <code>{path || "all of it"}</code>
        <small>
          {word}
          {more === "" ? "" : `: ${more}`}
        </small>
      </p>
      {metric !== null ? <NameAndUnit key={metric} {...{ path, metric, mapping, isNamed, onChange }} /> : null}
      <div className={form.buttons}>
        {metric !== null && value !== undefined && !isMeasured(value) ? (
          <Button size="compact-sm" variant="default" onClick={() => onChange(meaningNone(mapping, metric, value))}>
            It means none
          </Button>
        ) : null}
        {metric !== null && isNamed ? (
          <Button size="compact-sm" variant="default" onClick={() => onChange(ignored(mapping, path))}>
            Ignore it
          </Button>
        ) : null}
        {taken ? (
          <Button size="compact-sm" onClick={() => onChange(taken)} data-autofocus>
            Read it
          </Button>
        ) : null}
      </div>
      {metric === null && taken === null ? <p className={classes.hint}>{hintOf(leaf)}</p> : null}
    </div>
  );
}

/** Values of which nobody says that they stand for none. */
function isMeasured(value: string | number | boolean): boolean {
  return typeof value === "boolean";
}

function hintOf({ as, why }: Leaf): string {
  if (as === "ignored" && (why === "exclude" || why === "include"))
    return "A pattern of the mapping leaves it out: change that in the mapping below.";
  if (as === "ignored") return "Nothing is to be done: there is no value, or another rule of the mapping decides it.";
  if (as === "refused") return "Change the mapping below so that it can be read.";
  return "It is used as the mapping says below.";
}

interface NameAndUnitProps {
  path: string;
  metric: string;
  mapping: MappingInput;
  /** False where the name can't be changed here. */
  isNamed: boolean;
  onChange: (mapping: MappingInput) => void;
}

function NameAndUnit({ path, metric, mapping, isNamed, onChange }: NameAndUnitProps) {
  const said = unitSaid(mapping, metric);
  const [name, setName] = useState(metric);
  const [unit, setUnit] = useState(said);
  const isGood = !isNamed || isName(name.trim());
  const isChanged = name.trim() !== metric || unit.trim() !== said;
  const apply = () => {
    const to = name.trim();
    const called = to === metric ? mapping : renamed(mapping, path, metric, to);
    onChange(unit.trim() === said ? called : withUnit(called, to, unit.trim()));
  };
  return (
    <form
      className={classes.choices}
      onSubmit={(event) => {
        event.preventDefault();
        if (isGood && isChanged) apply();
      }}
    >
      <TextInput
        size="xs"
        label="Metric"
        disabled={!isNamed}
        description={
          isNamed
            ? null
            : "* and ? in the payload’s name would stand for other names too in a rule: it can’t be renamed or ignored alone."
        }
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        error={isGood ? null : "Letters, digits, _ . : - and at most 128 of them."}
        maxLength={128}
        autoComplete="off"
        spellCheck={false}
        data-autofocus
      />
      <TextInput
        size="xs"
        label="Unit, as the sender means it"
        placeholder="not said; such as °F, mV, Pa"
        value={unit}
        onChange={(event) => setUnit(event.currentTarget.value)}
        maxLength={32}
        autoComplete="off"
        spellCheck={false}
      />
      <div className={form.buttons}>
        <Button size="compact-sm" type="submit" disabled={!isGood || !isChanged}>
          Apply
        </Button>
      </div>
    </form>
  );
}
