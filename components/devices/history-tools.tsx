"use client";
import { Button, Menu, SegmentedControl } from "@mantine/core";
import type { DeviceDetail } from "@/server/contracts/devices";
import { useMay, useMayEverywhere } from "../queries/access";
import { downloadAddress } from "../queries/readings";
import { whyAddress } from "../queries/why";
import { formatTotal, type Zone } from "../ui/format";
import { Link } from "../ui/link";
import { CustomRange } from "./custom-range";
import classes from "./history.module.css";
import { RANGES, type Stretch, stretchAddress } from "./ranges";
import { ruleAddress } from "./rule-address";
import type { HistoryView } from "./use-history";

interface HistoryToolsProps {
  device: DeviceDetail;
  metrics: readonly string[];
  view: HistoryView;
  zone: Zone;
  asTable: boolean;
  address: URLSearchParams;
  change: (changes: Record<string, string | null>, how?: "push" | "replace") => void;
  onZoomOut: () => void;
}

/** Sets the range of the history and how it is shown, whether it follows live, and offers it as a download. */
export function HistoryTools({ device, metrics, view, zone, asTable, address, change, onZoomOut }: HistoryToolsProps) {
  const { from, to, range, isOld, endsAtLatest, isLive, waiting, setPaused, series } = view;
  const mayDownload = useMay("view-messages", device.site);
  const mayMakeRules = useMayEverywhere("edit");
  const rule = mayMakeRules ? ruleAddress(device, series, view) : null;
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
    <div className={classes.tools}>
      {isLive && series ? (
        <Button
          size="xs"
          variant={waiting === null ? "default" : "filled"}
          aria-pressed={waiting !== null}
          onClick={() => setPaused(waiting === null)}
        >
          {waiting === null ? "Pause" : `${formatTotal(waiting)} new, resume`}
        </Button>
      ) : null}
      <Button
        size="xs"
        variant="default"
        component={Link}
        href={whyAddress({ device: device.id, at: new Date(to).toISOString() })}
        title="Why a rule fired for this device, or didn’t"
      >
        Why?
      </Button>
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
      {isOld && range !== null ? (
        <SegmentedControl
          size="xs"
          aria-label="End of the range"
          value={endsAtLatest ? "latest" : "now"}
          onChange={(next) => change({ end: next })}
          data={[
            { value: "latest", label: "Latest reading" },
            { value: "now", label: "Now" },
          ]}
        />
      ) : null}
      <SegmentedControl
        size="xs"
        aria-label="Range"
        value={range?.key ?? ""}
        onChange={(next) => change({ range: next, from: null, to: null })}
        data={RANGES.map(({ key, label }) => ({ value: key, label }))}
      />
      <CustomRange
        {...{ from, to, zone }}
        isActive={range === null || !RANGES.some(({ key }) => key === range.key)}
        onApply={show}
        onRange={(key) => change({ range: key, from: null, to: null }, "push")}
      />
      <SegmentedControl
        size="xs"
        aria-label="View"
        value={asTable ? "table" : "chart"}
        onChange={(next) => change({ view: next === "table" ? "table" : null })}
        data={[
          { value: "chart", label: "Chart" },
          { value: "table", label: "Table" },
        ]}
      />
      {rule === null ? null : (
        <Button
          size="xs"
          variant="default"
          component={Link}
          href={rule}
          title="A rule with a limit just below the highest value shown"
        >
          Make a rule…
        </Button>
      )}
      {mayDownload && metrics.length > 0 ? <Download device={device.id} metrics={metrics} from={from} to={to} /> : null}
    </div>
  );
}

const COPIES = [
  ["csv", "raw", "CSV, every reading"],
  ["csv", "auto", "CSV, as shown"],
  ["json", "raw", "JSON, every reading"],
  ["json", "auto", "JSON, as shown"],
] as const;

function Download({ device, metrics, from, to }: Stretch & { device: string; metrics: readonly string[] }) {
  return (
    <Menu position="bottom-end" shadow="none">
      <Menu.Target>
        <Button size="xs" variant="default">
          Download
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {COPIES.map(([format, resolution, label]) => (
          <Menu.Item
            key={label}
            component="a"
            download
            href={downloadAddress(
              format,
              device,
              metrics,
              { from: Math.floor(from), to: Math.ceil(to) + 1 },
              resolution,
            )}
          >
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
