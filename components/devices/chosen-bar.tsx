"use client";
import { Button, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { DeviceChangesOfMany } from "@/server/contracts/devices";
import { counted } from "@/server/domain/counted";
import { MOST_NAMED } from "@/server/domain/device-lists";
import { useMay } from "../queries/access";
import { changeDevices } from "../queries/device";
import { DEVICE_ROWS, FLEET_ORDER } from "../queries/devices";
import { exploreAddress } from "../queries/explore";
import { saidOf } from "../queries/request";
import { FormDialog } from "../shell/form-dialog";
import { Link } from "../ui/link";
import { ChosenCsv } from "./chosen-csv";
import classes from "./devices.module.css";

type Changes = DeviceChangesOfMany["changes"];

interface ChosenBarProps {
  chosen: readonly string[];
  /** What the list is about; null where it is about no metric. */
  metric: string | null;
  /** The metrics whose latest values the list shows. */
  metrics: readonly string[];
  /** True where the list is of retired devices. */
  areRetired: boolean;
  onClear: () => void;
}

/** What can be done with the chosen devices at once: each change is one request, and retiring is undone right here. */
export function ChosenBar({ chosen, metric, metrics, areRetired, onClear }: ChosenBarProps) {
  const queries = useQueryClient();
  const mayEdit = useMay("edit");
  const [field, setField] = useState<"site" | "type" | "label" | null>(null);
  const [done, setDone] = useState<{ text: string; undo: readonly string[] } | null>(null);
  const change = useMutation({
    mutationFn: (body: { devices: readonly string[]; changes: Changes; said: string }) =>
      changeDevices(body.devices, body.changes),
    onSuccess: ({ items }, { changes, said }) => {
      const changed = items.filter(({ outcome }) => outcome === "changed").map(({ id }) => id);
      const left = items.length - changed.length;
      const not =
        left === 0
          ? ""
          : `, ${left} not: ${items.find(({ outcome }) => outcome !== "changed")!.id} is ${WHY[items.find(({ outcome }) => outcome !== "changed")!.outcome]}`;
      setDone({
        text: `${counted(changed.length, "device")} ${said}${not}`,
        undo: changes.retired === true ? changed : [],
      });
      setField(null);
      onClear();
      void queries.invalidateQueries({ queryKey: [FLEET_ORDER] });
      void queries.invalidateQueries({ queryKey: [DEVICE_ROWS] });
      void queries.invalidateQueries({ queryKey: ["fleet summary"] });
    },
  });
  if (chosen.length === 0 && done === null) return null;
  const retire = (devices: readonly string[], retired: boolean) =>
    change.mutate({ devices, changes: { retired }, said: retired ? "retired: kept, and hidden" : "back in the list" });
  return (
    <div className={classes.chosen} role="region" aria-label="Chosen devices">
      <p role="status">{chosen.length > 0 ? `${counted(chosen.length, "device")} chosen` : (done?.text ?? "")}</p>
      {change.error && field === null ? <p role="alert">Nothing was changed: {saidOf(change.error)}</p> : null}
      {chosen.length === 0 && done !== null ? (
        <>
          {done.undo.length > 0 ? (
            <Button
              size="compact-xs"
              variant="default"
              loading={change.isPending}
              onClick={() => retire(done.undo, false)}
            >
              Undo
            </Button>
          ) : null}
          <Button size="compact-xs" variant="subtle" onClick={() => setDone(null)}>
            Close
          </Button>
        </>
      ) : null}
      {chosen.length > 0 ? (
        <Button
          size="compact-xs"
          variant="filled"
          component={Link}
          href={exploreAddress({ metric, devices: chosen.slice(0, MOST_NAMED) })}
          title={`${metric ?? "A metric"} of ${counted(Math.min(chosen.length, MOST_NAMED), "device")} side by side`}
        >
          Compare
        </Button>
      ) : null}
      {chosen.length > 0 && mayEdit ? (
        <>
          {(["site", "type", "label"] as const).map((one) => (
            <Button key={one} size="compact-xs" variant="default" onClick={() => setField(one)}>
              Set {one}
            </Button>
          ))}
          <Button
            size="compact-xs"
            variant="default"
            loading={change.isPending}
            onClick={() => retire(chosen, !areRetired)}
          >
            {areRetired ? "Bring back" : "Retire"}
          </Button>
        </>
      ) : null}
      {chosen.length > 0 ? <ChosenCsv chosen={chosen} metrics={metrics} /> : null}
      {chosen.length > 0 ? (
        <Button size="compact-xs" variant="subtle" onClick={onClear}>
          Choose none
        </Button>
      ) : null}
      {field !== null ? (
        <SetDialog
          field={field}
          count={chosen.length}
          isSending={change.isPending}
          error={change.error}
          onSet={(changes) => change.mutate({ devices: chosen, changes, said: "changed" })}
          onClose={() => setField(null)}
        />
      ) : null}
    </div>
  );
}

const WHY = {
  changed: "changed",
  missing: "not there any more",
  elsewhere: "not yours at that site",
  full: "full of labels",
} as const;

interface SetDialogProps {
  field: "site" | "type" | "label";
  count: number;
  isSending: boolean;
  error: Error | null;
  onSet: (changes: Changes) => void;
  onClose: () => void;
}

function SetDialog({ field, count, isSending, error, onSet, onClose }: SetDialogProps) {
  const [text, setText] = useState("");
  const colon = text.indexOf(":");
  const isReady = field !== "label" || (colon > 0 && text.slice(colon + 1).trim() !== "");
  return (
    <FormDialog
      title={`Set the ${field} of ${counted(count, "device")}`}
      act="Set"
      failed="Nothing was changed"
      isReady={isReady}
      isSending={isSending}
      error={error}
      onSubmit={() =>
        onSet(
          field === "label"
            ? { labels: { [text.slice(0, colon).trim()]: text.slice(colon + 1).trim() } }
            : { [field]: text.trim() || null },
        )
      }
      onClose={onClose}
    >
      <TextInput
        label={field === "label" ? "Label, as key:value" : `New ${field}; nothing takes it away`}
        value={text}
        data-autofocus
        onChange={(event) => setText(event.currentTarget.value)}
      />
    </FormDialog>
  );
}
