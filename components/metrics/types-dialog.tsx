"use client";
import { Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { MOST_STALE_SECONDS, type DeviceTypeView } from "@/server/contracts/types";
import { counted } from "@/server/domain/counted";
import { saveType, typesQuery } from "../queries/types";
import { FormDialog } from "../shell/form-dialog";
import { formatSeconds } from "../ui/format";
import { NewName, useNewName } from "./new-name";
import { useAct } from "./use-act";

/** The types of devices: their names, and at which age their devices are stale. */
export function TypesDialog({ onClose }: { onClose: () => void }) {
  const { data } = useQuery(typesQuery());
  const [id, setId] = useState<string | null>(null);
  const type = data?.items.find((one) => String(one.id) === id) ?? data?.items[0];
  if (data === undefined || type === undefined)
    return (
      <FormDialog
        title="Types of devices"
        act="Save"
        failed="Nothing was changed"
        isReady={false}
        isSending={false}
        error={null}
        onSubmit={() => {}}
        onClose={onClose}
      >
        <p>{data === undefined ? "Loading the types…" : "No device has a type yet: messages say it, or a person."}</p>
      </FormDialog>
    );
  return (
    <TypeForm
      key={type.id}
      {...{ type, types: data.items, usualSeconds: data.usualSeconds, onClose }}
      onChoose={(chosen) => setId(chosen)}
    />
  );
}

interface FormProps {
  type: DeviceTypeView;
  types: readonly DeviceTypeView[];
  /** The age at which a device is stale whose type has none. */
  usualSeconds: number;
  onChoose: (id: string | null) => void;
  onClose: () => void;
}

function TypeForm({ type, types, usualSeconds, onChoose, onClose }: FormProps) {
  const naming = useNewName("types", type);
  const { wanted, isNew } = naming;
  const [age, setAge] = useState(String(type.staleSeconds ?? ""));
  const seconds = age.trim() === "" ? null : Number(age);
  const isAge = seconds === null || (Number.isInteger(seconds) && seconds >= 1 && seconds <= MOST_STALE_SECONDS);
  const isTold = !isNew || naming.isTold;
  const changes = {
    ...(wanted === type.name ? {} : { name: wanted }),
    ...(seconds === type.staleSeconds ? {} : { staleSeconds: seconds }),
  };
  const save = useAct((said: typeof changes) => saveType(type.id, said), onClose);
  const shown = isAge ? (seconds ?? usualSeconds) : null;
  return (
    <FormDialog
      title="Types of devices"
      act="Save"
      failed="Nothing was changed"
      isReady={isAge && isTold && wanted !== "" && Object.keys(changes).length > 0}
      isSending={save.isPending}
      error={save.error}
      onSubmit={() => save.mutate(changes)}
      onClose={onClose}
    >
      <Select
        label="Type"
        searchable
        limit={100}
        allowDeselect={false}
        data={types.map((one) => ({
          value: String(one.id),
          label: `${one.name} (${counted(one.devices, "device")}${one.staleSeconds === null ? "" : `, stale after ${formatSeconds(one.staleSeconds)}`})`,
        }))}
        value={String(type.id)}
        onChange={onChoose}
      />
      <NewName of={type} naming={naming} />
      <TextInput
        label="Stale after, in seconds"
        inputMode="numeric"
        placeholder={`${usualSeconds}, as any device`}
        description={
          shown === null
            ? undefined
            : `Not heard for ${formatSeconds(shown)} they are stale, for ${formatSeconds(shown * 10)} silent${seconds === null ? "; alerts go by what is usual for each" : ", in alerts of silence too"}.`
        }
        inputWrapperOrder={["label", "input", "description", "error"]}
        value={age}
        onChange={(event) => setAge(event.currentTarget.value)}
        error={isAge ? null : `Write a whole number from 1 to ${MOST_STALE_SECONDS}, or nothing.`}
      />
    </FormDialog>
  );
}
