"use client";
import { Button, SegmentedControl } from "@mantine/core";
import type { ReactNode } from "react";
import { CustomRange } from "./custom-range";
import type { Zone } from "./format";
import { type Range, RANGES, type Stretch, stretchAddress } from "./ranges";
import type { AddressChanges } from "./url";

interface RangeToolsProps extends Stretch {
  /** The range that ends now, or null when two moments were named. */
  range: Range | null;
  /** True if what is shown goes on at the right. */
  isLive: boolean;
  zone: Zone;
  address: URLSearchParams;
  change: (changes: AddressChanges, how?: "push" | "replace") => void;
  onZoomOut: () => void;
  /** The ranges on offer; all of them unless given. */
  offered?: readonly (typeof RANGES)[number][];
  /** What belongs between moving and choosing. */
  children?: ReactNode;
}

/** Sets the stretch of time that a page's charts show, in its address: half a range on, live, by its length, or by its ends. */
export function RangeTools(props: RangeToolsProps) {
  const { from, to, range, isLive, zone, address, change, onZoomOut, offered = RANGES, children } = props;
  const show = (stretch: Stretch) => change(stretchAddress(stretch), "push");
  const pan = (share: number) => {
    const by = (to - from) * share;
    show({ from: Math.max(0, from + by), to: to + by });
  };
  const goLive = () => {
    const day = address.get("range");
    change({ from: null, to: null, end: "now", range: day === "today" || day === "yesterday" ? null : day });
  };
  return (
    <>
      {range === null ? (
        <Button size="xs" variant="default" onClick={onZoomOut}>
          Zoom out
        </Button>
      ) : null}
      <Button.Group>
        <Button size="xs" variant="default" aria-label="Earlier" title="Half a range earlier" onClick={() => pan(-0.5)}>
          ‹
        </Button>
        <Button size="xs" variant="default" aria-label="Later" title="Half a range later" onClick={() => pan(0.5)}>
          ›
        </Button>
        <Button
          size="xs"
          variant={isLive && range !== null ? "light" : "default"}
          aria-pressed={isLive && range !== null}
          onClick={goLive}
        >
          Live
        </Button>
      </Button.Group>
      {children}
      <SegmentedControl
        size="xs"
        aria-label="Range"
        value={range?.key ?? ""}
        onChange={(next) => change({ range: next, from: null, to: null })}
        data={offered.map(({ key, label }) => ({ value: key, label }))}
      />
      <CustomRange
        {...{ from, to, zone }}
        isActive={range === null || !offered.some(({ key }) => key === range.key)}
        onApply={show}
        onRange={(key) => change({ range: key, from: null, to: null }, "push")}
      />
    </>
  );
}
