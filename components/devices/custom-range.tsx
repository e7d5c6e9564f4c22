"use client";
import { Button, Popover, TextInput } from "@mantine/core";
import { useState } from "react";
import form from "../ui/form.module.css";
import { formatMoment, momentOf, wallClock, type Zone, zoneName } from "../ui/format";
import classes from "./custom-range.module.css";
import type { Stretch } from "./ranges";

interface CustomRangeProps extends Stretch {
  zone: Zone;
  /** True if the range shown was named by its ends. */
  isActive: boolean;
  onApply: (stretch: Stretch) => void;
}

/** Names a range by its two ends, in the page's zone. */
export function CustomRange({ from, to, zone, isActive, onApply }: CustomRangeProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Popover opened={isOpen} onChange={setOpen} position="bottom-end" trapFocus returnFocus shadow="none">
      <Popover.Target>
        <Button
          size="xs"
          variant={isActive ? "light" : "default"}
          aria-haspopup="dialog"
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          {isActive ? `${formatMoment(from, zone)} – ${formatMoment(to, zone)}` : "From … to"}
        </Button>
      </Popover.Target>
      <Popover.Dropdown className={classes.dropdown} aria-label="From and to">
        <RangeForm
          from={from}
          to={to}
          zone={zone}
          onApply={(stretch) => {
            setOpen(false);
            onApply(stretch);
          }}
        />
      </Popover.Dropdown>
    </Popover>
  );
}

function RangeForm({ from, to, zone, onApply }: Omit<CustomRangeProps, "isActive">) {
  const [begin, setBegin] = useState(() => wallClock(from, zone));
  const [end, setEnd] = useState(() => wallClock(to, zone));
  const [error, setError] = useState<string | null>(null);
  return (
    <form
      className={classes.rangeForm}
      onSubmit={(event) => {
        event.preventDefault();
        const stretch = { from: momentOf(begin, zone), to: momentOf(end, zone) };
        if (Number.isNaN(stretch.from) || Number.isNaN(stretch.to)) setError("Give both a date and a time.");
        else if (stretch.from >= stretch.to) setError("From must be before to.");
        else if (stretch.from < 0) setError("Readings begin in 1970.");
        else onApply(stretch);
      }}
    >
      <TextInput
        label="From"
        type="datetime-local"
        step={1}
        size="xs"
        value={begin}
        onChange={(event) => setBegin(event.currentTarget.value)}
        data-autofocus
      />
      <TextInput
        label="To"
        type="datetime-local"
        step={1}
        size="xs"
        value={end}
        onChange={(event) => setEnd(event.currentTarget.value)}
        error={error}
      />
      <div className={form.foot}>
        <span className={classes.zone}>{zoneName(zone)}</span>
        <Button type="submit" size="xs">
          Show
        </Button>
      </div>
    </form>
  );
}
