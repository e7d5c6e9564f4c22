"use client";
import { SegmentedControl, useMantineColorScheme } from "@mantine/core";
import { useSyncExternalStore } from "react";
import { zoneName } from "../ui/format";
import { useZone } from "../ui/zone";
import classes from "./shell.module.css";

/** The zone times are written in, and light or dark. */
export function Preferences() {
  const { zone, setZone } = useZone();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  // The browser's zone and choices are unknown while rendering on the server.
  const local = useSyncExternalStore(
    noChanges,
    () => zoneName("local"),
    () => "Local",
  );
  const scheme = useSyncExternalStore(
    noChanges,
    () => colorScheme,
    () => "auto",
  );
  return (
    <div className={classes.preferences}>
      <SegmentedControl
        size="xs"
        aria-label="Time zone"
        value={zone}
        onChange={(value) => setZone(value === "UTC" ? "UTC" : "local")}
        data={[
          {
            value: "local",
            label: <span title={`Local time, ${local}`}>{local === "UTC" ? "Local" : shortName(local)}</span>,
          },
          { value: "UTC", label: "UTC" },
        ]}
      />
      <SegmentedControl
        size="xs"
        aria-label="Color scheme"
        value={scheme}
        onChange={(value) => setColorScheme(value as "light" | "dark" | "auto")}
        data={[
          { value: "light", label: "Light" },
          { value: "dark", label: "Dark" },
          { value: "auto", label: "Auto" },
        ]}
      />
    </div>
  );
}

function shortName(zone: string): string {
  return zone.split("/").at(-1)?.replaceAll("_", " ") ?? zone;
}

function noChanges() {
  return () => {};
}
