"use client";
import { Button, Popover } from "@mantine/core";
import dynamic from "next/dynamic";
import { useState } from "react";
import { formatMoment } from "./format";
import classes from "./custom-range.module.css";
import type { RangeFormProps } from "./range-form";

const RangeForm = dynamic(() => import("./range-form").then((form) => form.RangeForm), { ssr: false });

interface CustomRangeProps extends RangeFormProps {
  /** True if the range shown was named by its ends. */
  isActive: boolean;
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
