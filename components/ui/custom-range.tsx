"use client";
import { Button, Popover, TextInput } from "@mantine/core";
import { useState } from "react";
import form from "./form.module.css";
import { formatMoment, wallClock, type Zone, zoneName } from "./format";
import classes from "./custom-range.module.css";
import { serverNow } from "./server-time";
import { readRange, type Stretch } from "./ranges";

interface CustomRangeProps extends Stretch {
  zone: Zone;
  /** True if the range shown was named by its ends. */
  isActive: boolean;
  onApply: (stretch: Stretch) => void;
  /** Called with a range that ends now, or a day by its name. */
  onRange: (key: string) => void;
}

/** Names a range by its two ends, in the page's zone. */
export function CustomRange({ from, to, zone, isActive, onApply, onRange }: CustomRangeProps) {
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
          onRange={(key) => {
            setOpen(false);
            onRange(key);
          }}
        />
      </Popover.Dropdown>
    </Popover>
  );
}

function RangeForm({ from, to, zone, onApply, onRange }: Omit<CustomRangeProps, "isActive">) {
  const [typed, setTyped] = useState(() => `${written(from, zone)} to ${written(to, zone)}`);
  const [error, setError] = useState<string | null>(null);
  return (
    <form
      className={classes.rangeForm}
      onSubmit={(event) => {
        event.preventDefault();
        const read = readRange(typed, serverNow(), zoneName(zone));
        if ("problem" in read) setError(read.problem);
        else if ("range" in read) onRange(read.range);
        else onApply(read);
      }}
    >
      <div className={classes.days}>
        <Button size="xs" variant="default" onClick={() => onRange("today")}>
          Today
        </Button>
        <Button size="xs" variant="default" onClick={() => onRange("yesterday")}>
          Yesterday
        </Button>
      </div>
      <TextInput
        label="Range"
        description="-2h, yesterday, 2026-11-29, or two moments with “to” between"
        size="xs"
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        onFocus={(event) => event.currentTarget.select()}
        error={error}
        data-autofocus
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

/** A moment as it can be typed. */
function written(time: number, zone: Zone): string {
  return wallClock(time, zone).replace("T", " ");
}
