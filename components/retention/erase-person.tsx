"use client";
import { TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { PersonErasure } from "@/server/contracts/removals";
import { counted } from "@/server/domain/counted";
import { FLEET_ORDER } from "../queries/devices";
import { erasePerson, ERASURES, personErasureQuery } from "../queries/removals";
import { saidOf } from "../queries/request";
import { FormDialog } from "../shell/form-dialog";
import { formatTotal } from "../ui/format";
import { personWords } from "./erasure-words";
import classes from "./erasures.module.css";

/** Whoever types a name isn't done for so long. */
const TYPING_MS = 400;

/** Erases all devices of a person, once it is said which these are and what goes with them. */
export function ErasePerson({ onClose }: { onClose: () => void }) {
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const person = name.trim();
  const [asked] = useDebouncedValue(person, TYPING_MS);
  const isAsked = asked === person && person !== "";
  const preview = useQuery(personErasureQuery(isAsked ? asked : null));
  const found = isAsked ? preview.data : undefined;
  const devices = found?.devices ?? [];
  const erase = useMutation({
    mutationFn: () => erasePerson({ person, devices: devices.map((one) => one.name) }),
    onSuccess: () => {
      // Their pages would say that there are no such devices.
      void queries.invalidateQueries({ refetchType: "none" });
      queries.removeQueries({ queryKey: [FLEET_ORDER] });
      void queries.invalidateQueries({ queryKey: [ERASURES] });
      onClose();
    },
    // They may be others than those that were shown.
    onError: () => void preview.refetch(),
  });
  return (
    <FormDialog
      title="Erase a person"
      act={devices.length === 0 ? "Erase" : `Erase ${counted(devices.length, "device")}`}
      isDangerous
      failed="Nothing was erased"
      isReady={devices.length > 0}
      isSending={erase.isPending}
      error={erase.error}
      onSubmit={() => erase.mutate()}
      onClose={onClose}
    >
      <TextInput
        label="Person"
        description="As labels of devices and sites have it, to the letter"
        inputWrapperOrder={["label", "input", "description"]}
        maxLength={512}
        data-autofocus
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <div role="status" className={classes.preview}>
        {person === "" ? (
          <p>Every device with a label person or owner of this name goes, and every device at a site of theirs.</p>
        ) : isAsked && preview.error ? (
          <p>{saidOf(preview.error)}</p>
        ) : found === undefined ? (
          <p>Looking what is theirs…</p>
        ) : (
          <Found found={found} person={person} />
        )}
      </div>
    </FormDialog>
  );
}

function Found({ found, person }: { found: PersonErasure; person: string }) {
  if (found.devices.length === 0) return <p>{personWords(found)}</p>;
  return (
    <>
      <p>
        <b>{personWords(found)}</b> Messages that still come under these names are dropped.
      </p>
      <div className={classes.devices} role="region" aria-label="Their devices" tabIndex={0}>
        <table className={classes.proof} aria-label="Devices that are erased">
          <thead>
            <tr>
              <th scope="col">Device</th>
              <th scope="col">Theirs by</th>
              <th scope="col">Messages</th>
            </tr>
          </thead>
          <tbody>
            {found.devices.map(({ name, site, messages, by }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{by === "label" ? "its label" : `the site ${site}`}</td>
                <td>{formatTotal(messages)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p>
        <a href={`/api/v1/personal-data.jsonl?person=${encodeURIComponent(person)}`} download>
          Download all that is stored about them
        </a>
      </p>
    </>
  );
}
