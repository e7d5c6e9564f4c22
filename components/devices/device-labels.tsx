"use client";
import { Button, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { DEVICE_LABELS } from "@/server/domain/device-labels";
import { LABEL_LENGTH } from "@/server/domain/label";
import { readable } from "@/server/domain/readable";
import { useLive } from "../live/provider";
import { type DescribedDevice, deviceQuery, saveProperties } from "../queries/device";
import { DEVICE_ROWS } from "../queries/devices";
import { Failure } from "../ui/feedback";
import { Link } from "../ui/link";
import classes from "./labels.module.css";

/** A device's labels and whose word each is; whoever may edit the device sets them one by one, and takes their word back. */
export function DeviceLabels({ device, mayEdit }: { device: DescribedDevice; mayEdit: boolean }) {
  const queries = useQueryClient();
  const live = useLive();
  const [errors, setErrors] = useState<Readonly<Record<string, string>>>({});
  const [failure, setFailure] = useState<string | null>(null);
  const [isSaving, setSaving] = useState(false);
  const keys = Object.keys(device.labels).sort();

  /** Sets one label, or takes it back. @returns true when that is done. */
  const save = async (key: string, value: string | null): Promise<boolean> => {
    setSaving(true);
    setErrors({});
    setFailure(null);
    try {
      const result = await saveProperties(device.id, { labels: { [key]: value } }, null);
      if (result.kind === "saved") {
        const { labels, labelsByPerson, updatedAt } = result.device;
        queries.setQueryData(
          deviceQuery(live, device.id).queryKey,
          (now) => now && { ...now, labels, labelsByPerson, updatedAt },
        );
        void queries.invalidateQueries({ queryKey: [DEVICE_ROWS] });
      } else if (result.kind === "refused") setErrors(result.errors);
      return result.kind === "saved";
    } catch (error) {
      setFailure((error as Error).message);
      return false;
    } finally {
      setSaving(false);
    }
  };

  return (
    <>
      {keys.length === 0 ? <span className={classes.none}>none</span> : null}
      <ul className={classes.list}>
        {keys.map((key) => {
          const isSet = device.labelsByPerson.includes(key);
          const label = `${key}:${device.labels[key]}`;
          return (
            <li key={key} data-label={label}>
              <Link
                className={classes.label}
                href={`/devices?${new URLSearchParams({ label }).toString()}`}
                title={`Devices with ${readable(label)}`}
              >
                <span>{readable(key)}</span> {readable(device.labels[key]!)}
              </Link>
              <small>{isSet ? "set by hand" : "from its messages"}</small>
              {isSet && mayEdit ? (
                <Button
                  size="compact-xs"
                  variant="subtle"
                  disabled={isSaving}
                  aria-label={`Take back the label ${key}`}
                  onClick={() => void save(key, null)}
                >
                  Take back
                </Button>
              ) : null}
            </li>
          );
        })}
      </ul>
      {mayEdit ? <AddLabel isSaving={isSaving} errors={errors} onSave={save} /> : null}
      {failure ? (
        <Failure
          what="The label may not have been saved"
          why={failure}
          advice="Save it again when the server answers; saving twice does no harm."
        />
      ) : null}
    </>
  );
}

interface AddLabelProps {
  isSaving: boolean;
  /** What is wrong, by field of the request. */
  errors: Readonly<Record<string, string>>;
  onSave: (key: string, value: string) => Promise<boolean>;
}

function AddLabel({ isSaving, errors, onSave }: AddLabelProps) {
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const error = Object.values(errors)[0];
  const isWhole = key.trim() !== "" && value.trim() !== "";
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!isWhole || !(await onSave(key.trim(), value))) return;
    setKey("");
    setValue("");
  };
  return (
    <form className={classes.add} aria-label="Set a label" onSubmit={(event) => void submit(event)}>
      <TextInput
        size="xs"
        aria-label="Key of the label"
        placeholder="Key, such as room"
        maxLength={DEVICE_LABELS.keyLength}
        value={key}
        onChange={(event) => setKey(event.currentTarget.value)}
        error={error}
      />
      <TextInput
        size="xs"
        aria-label="Text of the label"
        placeholder="Text, such as kitchen"
        maxLength={LABEL_LENGTH}
        value={value}
        onChange={(event) => setValue(event.currentTarget.value)}
      />
      <Button size="xs" variant="default" type="submit" loading={isSaving} disabled={!isWhole}>
        Set label
      </Button>
    </form>
  );
}
