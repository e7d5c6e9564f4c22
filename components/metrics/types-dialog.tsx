"use client";
import { TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { MOST_STALE_SECONDS, type DeviceTypeView } from "@/server/contracts/types";
import { saveType, typesQuery } from "../queries/types";
import { formatSeconds } from "../ui/format";
import { ChosenDialog, NamedForm } from "./named-dialog";
import { useNewName } from "./new-name";

/** The types of devices: their names, and at which age their devices are stale. */
export function TypesDialog({ onClose }: { onClose: () => void }) {
  const { data } = useQuery(typesQuery());
  return (
    <ChosenDialog
      title="Types of devices"
      items={data?.items}
      loading="Loading the types…"
      none="No device has a type yet: messages say it, or a person."
      onClose={onClose}
      form={(type, types, onChoose) => (
        <TypeForm key={type.id} {...{ type, types, usualSeconds: data!.usualSeconds, onChoose, onClose }} />
      )}
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
  const [age, setAge] = useState(String(type.staleSeconds ?? ""));
  const seconds = age.trim() === "" ? null : Number(age);
  const isAge = seconds === null || (Number.isInteger(seconds) && seconds >= 1 && seconds <= MOST_STALE_SECONDS);
  const changes = seconds === type.staleSeconds ? {} : { staleSeconds: seconds };
  const shown = isAge ? (seconds ?? usualSeconds) : null;
  return (
    <NamedForm
      title="Types of devices"
      what="Type"
      one={type}
      all={types}
      more={(one) => (one.staleSeconds === null ? "" : `, stale after ${formatSeconds(one.staleSeconds)}`)}
      isValid={isAge}
      onSave={(said) => saveType(type.id, said)}
      {...{ naming, changes, onChoose, onClose }}
    >
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
    </NamedForm>
  );
}
