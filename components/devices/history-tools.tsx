"use client";
import { Button, Menu, SegmentedControl } from "@mantine/core";
import { memo, useMemo } from "react";
import type { DeviceDetail } from "@/server/contracts/devices";
import { filterText } from "@/server/domain/device-filter";
import { readable } from "@/server/domain/readable";
import { useMay, useMayEverywhere } from "../queries/access";
import { exploreAddress } from "../queries/explore";
import { downloadAddress, textsAddress } from "../queries/readings";
import { whyAddress } from "../queries/why";
import { formatTotal, type Zone } from "../ui/format";
import { Link } from "../ui/link";
import { useTurn } from "../ui/use-turn";
import classes from "./history.module.css";
import { RangeTools } from "../ui/range-tools";
import type { Stretch } from "../ui/ranges";
import type { AddressChanges } from "../ui/url";
import { ruleAddress } from "./rule-address";
import type { HistoryView } from "./use-history";

interface HistoryToolsProps {
  device: Pick<DeviceDetail, "id" | "site" | "type">;
  /** Whether the device says anything in words. */
  hasTexts: boolean;
  metrics: readonly string[];
  view: HistoryView;
  zone: Zone;
  asTable: boolean;
  address: URLSearchParams;
  change: (changes: AddressChanges, how?: "push" | "replace") => void;
  onZoomOut: () => void;
}

/** The tools are drawn anew every so many turns of the charts' clock, which is every two seconds, or when a person does something. */
const TURNS = 8;

/** Sets the range of the history and how it is shown, whether it follows live, and offers it as a download. */
export function HistoryTools({ device: { id, site, type }, ...props }: HistoryToolsProps) {
  const { choice, isStale, waiting, series } = props.view;
  const view = useTurn(props.view, 0, TURNS, `${choice} ${isStale} ${waiting === null} ${series === undefined}`);
  const device = useMemo(() => ({ id, site, type }), [id, site, type]);
  return <Tools {...props} {...{ device, view }} />;
}

const Tools = memo(function Tools({
  device,
  hasTexts,
  metrics,
  view,
  zone,
  asTable,
  address,
  change,
  onZoomOut,
}: HistoryToolsProps) {
  const { from, to, range, isOld, endsAtLatest, isLive, waiting, setPaused, series } = view;
  const mayDownload = useMay("view-messages", device.site);
  const mayMakeRules = useMayEverywhere("edit");
  const rule = mayMakeRules ? ruleAddress(device, series, view) : null;
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
      <RangeTools {...{ from, to, range, isLive, zone, address, change, onZoomOut }}>
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
      </RangeTools>
      {asTable || metrics.length === 0 || range?.ms === null ? null : (
        <Button
          size="xs"
          variant={address.get("before") === "1" ? "light" : "default"}
          aria-pressed={address.get("before") === "1"}
          title="The time of the same length before, dashed"
          onClick={() => change({ before: address.get("before") === "1" ? null : "1" })}
        >
          Before
        </Button>
      )}
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
      {series && series.length > 0 ? <Compare {...{ device, metrics, address }} /> : null}
      {mayDownload && (metrics.length > 0 || hasTexts) ? (
        <Download device={device.id} {...{ metrics, hasTexts, from, to }} />
      ) : null}
    </div>
  );
});

/** Leads to the same metric, in the same time, of other devices beside this one. */
function Compare({ device, metrics, address }: Pick<HistoryToolsProps, "device" | "metrics" | "address">) {
  const { site, type } = device;
  const time = Object.fromEntries(["range", "from", "to"].map((key) => [key, address.get(key)]));
  const ways = [
    { label: "of all devices", filter: {} },
    ...(site === null ? [] : [{ label: `at ${readable(site)}`, filter: { site } }]),
    ...(type === null
      ? []
      : [
          {
            label: `of type ${readable(type)}`,
            filter: { where: filterText([{ of: "type", operator: "=", text: type }]) },
          },
        ]),
    { label: "by site", filter: { by: "site" as const } },
  ];
  return (
    <Menu position="bottom-end" shadow="none">
      <Menu.Target>
        <Button size="xs" variant="default" title="The same of other devices, side by side">
          Compare
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {metrics.flatMap((metric) =>
          ways.map(({ label, filter }) => (
            <Menu.Item
              key={`${metric} ${label}`}
              component={Link}
              href={exploreAddress({ metric, ...filter, ...time })}
            >
              {metric} {label}
            </Menu.Item>
          )),
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

const COPIES = [
  ["csv", "raw", "CSV, every reading"],
  ["csv", "auto", "CSV, as shown"],
  ["json", "raw", "JSON, every reading"],
  ["json", "auto", "JSON, as shown"],
] as const;

interface DownloadProps extends Stretch {
  readonly device: string;
  readonly metrics: readonly string[];
  readonly hasTexts: boolean;
}

function Download({ device, metrics, hasTexts, from, to }: DownloadProps) {
  const stretch = { from: Math.floor(from), to: Math.ceil(to) + 1 };
  return (
    <Menu position="bottom-end" shadow="none">
      <Menu.Target>
        <Button size="xs" variant="default">
          Download
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {(metrics.length > 0 ? COPIES : []).map(([format, resolution, label]) => (
          <Menu.Item
            key={label}
            component="a"
            download
            href={downloadAddress(format, device, metrics, stretch, resolution)}
          >
            {label}
          </Menu.Item>
        ))}
        {hasTexts ? (
          <Menu.Item component="a" download href={textsAddress(device, stretch)}>
            CSV, what it says in words
          </Menu.Item>
        ) : null}
      </Menu.Dropdown>
    </Menu>
  );
}
