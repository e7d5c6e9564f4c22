"use client";
import { Autocomplete, Checkbox, NumberInput, Select, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { MaintenanceView } from "@/server/contracts/notifications";
import type { Matcher } from "@/server/domain/notifications/matcher";
import { changeMaintenance, makeMaintenance, NOTIFICATIONS } from "../queries/notifications";
import { RequestError } from "../queries/request";
import { FormDialog } from "../shell/form-dialog";
import { zoneName } from "../ui/format";
import { areWhole, Matchers } from "./matchers";
import classes from "./notifications.module.css";
import { recurrenceWords } from "./words";

const USUAL = ["0 2 * * 6", "0 2 * * *", "0 22 * * 1-5", "0 6 * * 1"];

interface MaintenanceDialogProps {
  /** Null: a new one. */
  item: MaintenanceView | null;
  onClose: () => void;
}

/** Makes a window that comes again, or changes one. */
export function MaintenanceDialog({ item, onClose }: MaintenanceDialogProps) {
  const queries = useQueryClient();
  const [name, setName] = useState(item?.name ?? "");
  const [matchers, setMatchers] = useState<Matcher[]>(item ? [...item.matchers] : []);
  const [cron, setCron] = useState(item?.cron ?? USUAL[0]!);
  const [isOwn, setOwn] = useState(item !== null && !USUAL.includes(item.cron));
  const [minutes, setMinutes] = useState<number | string>(item?.minutes ?? 120);
  const [zone, setZone] = useState(item?.zone ?? zoneName("local"));
  const [note, setNote] = useState(item?.note ?? "");
  const [enabled, setEnabled] = useState(item?.enabled ?? true);
  const save = useMutation({
    mutationFn: () => {
      const said = {
        ...{ name: name.trim(), matchers, cron: cron.trim(), minutes: Number(minutes), zone, enabled },
        note: note.trim() || null,
      };
      return item === null ? makeMaintenance(said) : changeMaintenance(item.id, { ...said, revision: item.revision });
    },
    onSuccess: onClose,
    onSettled: () => queries.invalidateQueries({ queryKey: [NOTIFICATIONS] }),
  });
  const refused = save.error instanceof RequestError ? (save.error.problem?.errors ?? []) : [];
  const fault = (at: string) => refused.find((one) => one.at === at)?.message ?? null;
  const lasts = Number(minutes);
  return (
    <FormDialog
      title={item ? `Change ${item.name}` : "Add maintenance"}
      act={item ? "Save the maintenance" : "Add the maintenance"}
      failed={item ? "Nothing was changed" : "No maintenance was added"}
      isReady={name.trim() !== "" && areWhole(matchers) && cron.trim() !== "" && lasts >= 1 && zone !== ""}
      isSending={save.isPending}
      error={save.error}
      onSubmit={() => save.mutate()}
      onClose={onClose}
    >
      <TextInput
        label="Name"
        placeholder="Saturday service"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        maxLength={100}
        autoComplete="off"
        data-autofocus
      />
      <Matchers label="Alerts" none="Every alert." matchers={matchers} onChange={(next) => setMatchers(next)} />
      <div className={classes.pair}>
        <Select
          label="Begins"
          data={[
            ...USUAL.map((value) => ({ value, label: recurrenceWords(value, 1).replace(/ for .*$/, "") })),
            { value: "own", label: "As cron says…" },
          ]}
          allowDeselect={false}
          value={isOwn ? "own" : cron}
          onChange={(value) => {
            setOwn(value === "own");
            if (value !== "own") setCron(value!);
          }}
        />
        <NumberInput
          label="Lasts"
          suffix=" min"
          min={1}
          max={10_080}
          allowDecimal={false}
          value={minutes}
          onChange={setMinutes}
        />
      </div>
      {isOwn ? (
        <TextInput
          label="Cron"
          description="Minute, hour, day, month, day of the week: 30 2 * * 6 is each Saturday at 02:30."
          inputWrapperOrder={["label", "input", "description", "error"]}
          value={cron}
          error={fault("cron")}
          onChange={(event) => setCron(event.currentTarget.value)}
          maxLength={100}
          autoComplete="off"
          spellCheck={false}
        />
      ) : null}
      <Autocomplete
        label="In the zone"
        data={ZONES}
        limit={20}
        value={zone}
        onChange={setZone}
        error={fault("zone")}
        maxLength={64}
        autoComplete="off"
      />
      <TextInput
        label="Note"
        placeholder="none"
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
        maxLength={500}
        autoComplete="off"
      />
      {item ? (
        <Checkbox label="On" checked={enabled} onChange={(event) => setEnabled(event.currentTarget.checked)} />
      ) : null}
      <p role="status" className={classes.told}>
        {recurrenceWords(cron, lasts || 1)}, {zone}: messages are held back. What was told before and still fires isn’t
        told again after it; what ended in it is told to have ended.
      </p>
    </FormDialog>
  );
}

const ZONES = [...new Set([zoneName("local"), "UTC", ...Intl.supportedValuesOf("timeZone")])];
