"use client";
import { Menu, useMantineColorScheme } from "@mantine/core";
import { usePathname } from "next/navigation";
import { zoneName } from "../ui/format";
import { useIsClient } from "../ui/use-is-client";
import { useZone } from "../ui/zone";
import { deviceInAddress } from "./device-in-address";
import { metricInAddress, usePins } from "./pins";
import { printPage } from "./print";
import classes from "./shell.module.css";

const SCHEMES = [
  ["light", "Light"],
  ["dark", "Dark"],
  ["auto", "As the system is"],
] as const;

/** One menu for how pages are shown: the zone times are written in, which its button names, light or dark, and what can be done with this one. */
export function Preferences() {
  const { zone, setZone } = useZone();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [pins, togglePin] = usePins();
  const path = usePathname();
  const device = path.startsWith("/devices/") ? deviceInAddress(path.slice("/devices/".length)) : null;
  // The browser's zone and choices are unknown while rendering on the server.
  const isClient = useIsClient();
  const local = isClient ? zoneName("local") : "UTC";
  const shown = zone === "UTC" ? "UTC" : local;
  return (
    <Menu position="bottom-end" shadow="sm" width={200} transitionProps={{ duration: 0 }}>
      <Menu.Target>
        <button
          type="button"
          className={classes.preferences}
          aria-label={`Times in ${shown}; time zone, colors and print`}
          title={`Times in ${shown}; light or dark, print`}
        >
          {shortName(shown)}
          <svg viewBox="0 0 10 6" width="10" height="6" aria-hidden="true">
            <path d="M1 1l4 4 4-4" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" />
          </svg>
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Times in</Menu.Label>
        <Menu.RadioGroup value={zone} onChange={(value) => setZone(value === "UTC" ? "UTC" : "local")}>
          <Menu.RadioItem value="local">
            {local === "UTC" ? "Local time" : `Local time, ${shortName(local)}`}
          </Menu.RadioItem>
          <Menu.RadioItem value="UTC">UTC</Menu.RadioItem>
        </Menu.RadioGroup>
        <Menu.Label>Colors</Menu.Label>
        <Menu.RadioGroup
          value={isClient ? colorScheme : "auto"}
          onChange={(value) => setColorScheme(value as "light" | "dark" | "auto")}
        >
          {SCHEMES.map(([value, label]) => (
            <Menu.RadioItem key={value} value={value}>
              {label}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Label>This page</Menu.Label>
        {device === null ? null : (
          <Menu.Item onClick={() => togglePin({ device, metric: metricInAddress() })}>
            {pins.some((pin) => pin.device === device) ? "Unpin from the overview" : "Pin to the overview"}
          </Menu.Item>
        )}
        <Menu.Item onClick={printPage}>Print or save as PDF</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function shortName(zone: string): string {
  return zone.split("/").at(-1)?.replaceAll("_", " ") ?? zone;
}
