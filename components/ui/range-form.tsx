"use client";
import { Button, TextInput } from "@mantine/core";
import { useState } from "react";
import form from "./form.module.css";
import { wallClock, type Zone, zoneName } from "./format";
import classes from "./custom-range.module.css";
import { serverNow } from "./server-time";
import { readRange, type Stretch } from "./ranges";

export interface RangeFormProps extends Stretch {
  zone: Zone;
  onApply: (stretch: Stretch) => void;
  /** Called with a range that ends now, or a day by its name. */
  onRange: (key: string) => void;
}

/** Takes a range as it is typed. */
export function RangeForm({ from, to, zone, onApply, onRange }: RangeFormProps) {
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
        autoFocus
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
