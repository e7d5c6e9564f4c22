"use client";
import type { MouseEvent } from "react";
import type { DeviceView } from "@/server/contracts/devices";
import { readable } from "@/server/domain/readable";
import { MOST_LABELS } from "../queries/wanted-devices";
import { None } from "../ui/list-table";
import { useAddress } from "../ui/url";
import classes from "./labels.module.css";

/** A device's labels in a list; each shows only devices that have it, too. */
export function Labels({ labels }: { labels: DeviceView["labels"] }) {
  const [address, change] = useAddress();
  const keys = Object.keys(labels).sort();
  if (keys.length === 0) return <None />;
  const chosen = address.getAll("label");
  const choose = (event: MouseEvent, label: string) => {
    // The row leads to the device.
    event.stopPropagation();
    if (!chosen.includes(label) && chosen.length < MOST_LABELS) change({ label: [...chosen, label] });
  };
  return (
    <span className={classes.labels}>
      {keys.map((key) => {
        const label = `${key}:${labels[key]}`;
        return (
          <button
            key={key}
            type="button"
            tabIndex={-1}
            className={classes.label}
            title={`Only devices with ${readable(label)}`}
            onClick={(event) => choose(event, label)}
          >
            <span>{readable(key)}</span> {readable(labels[key]!)}
          </button>
        );
      })}
    </span>
  );
}
