"use client";
import { Autocomplete, Button, Textarea } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { DeviceChanges, DeviceDetail } from "@/server/contracts/devices";
import { LABEL_LENGTH } from "@/server/domain/label";
import { useLive } from "../live/provider";
import { type DescribedDevice, deviceQuery, type Saved, saveProperties, sitesQuery } from "../queries/device";
import { DEVICE_ROWS } from "../queries/devices";
import { Failure } from "../ui/feedback";
import { MarkShape } from "../ui/state-mark";
import classes from "./properties.module.css";

interface Draft {
  readonly site: string;
  readonly type: string;
  readonly notes: string;
}

const FIELDS = ["site", "type", "notes"] as const;

/** What people say about a device, to be changed; what someone else saved meanwhile is shown, and nothing of theirs is lost. */
export function PropertiesForm({ device, onDone }: { device: DescribedDevice; onDone: () => void }) {
  const queries = useQueryClient();
  const live = useLive();
  const sites = useQuery(sitesQuery());
  // The values the form began with; the device may change in the meantime.
  const [base, setBase] = useState(device);
  const [draft, setDraft] = useState<Draft>(() => draftOf(device));
  const [errors, setErrors] = useState<Readonly<Record<string, string>>>({});
  const [conflict, setConflict] = useState<Extract<Saved, { kind: "changed" }>["current"] | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const [isSaving, setSaving] = useState(false);
  const changes = changesOf(draft, base);
  const set = (field: keyof Draft) => (value: string) => {
    setDraft((now) => ({ ...now, [field]: value }));
    setErrors((now) => ({ ...now, [field]: "" }));
  };

  const save = async (updatedAt: string, wanted: DeviceChanges) => {
    setSaving(true);
    setFailure(null);
    setConflict(null);
    try {
      const result = await saveProperties(device.id, wanted, updatedAt);
      if (result.kind === "saved") {
        const { site, type, notes, setByPerson, updatedAt: at } = result.device;
        queries.setQueryData(
          deviceQuery(live, device.id).queryKey,
          (now) => now && { ...now, site, type, notes, setByPerson, updatedAt: at },
        );
        void queries.invalidateQueries({ queryKey: sitesQuery().queryKey });
        void queries.invalidateQueries({ queryKey: [DEVICE_ROWS] });
        onDone();
      } else if (result.kind === "changed") setConflict(result.current);
      else setErrors(result.errors);
    } catch (error) {
      setFailure((error as Error).message);
    } finally {
      setSaving(false);
    }
  };

  return (
    <form
      className={classes.propertiesForm}
      aria-label="Properties"
      onSubmit={(event) => {
        event.preventDefault();
        if (Object.keys(changes).length === 0) onDone();
        else void save(base.updatedAt, changes);
      }}
    >
      <Autocomplete
        label="Site"
        description="One that isn't there yet is added"
        size="xs"
        data={sites.data ?? []}
        value={draft.site}
        onChange={set("site")}
        error={errors.site}
        maxLength={LABEL_LENGTH}
        data-autofocus
      />
      <Autocomplete
        label="Type"
        description="What kind of device it is"
        size="xs"
        value={draft.type}
        onChange={set("type")}
        error={errors.type}
        maxLength={LABEL_LENGTH}
      />
      <Textarea
        label="Notes"
        className={classes.notes}
        size="xs"
        autosize
        minRows={2}
        maxRows={12}
        maxLength={4000}
        value={draft.notes}
        onChange={(event) => set("notes")(event.currentTarget.value)}
        error={errors.notes}
      />
      {conflict ? (
        <Conflict
          conflict={conflict}
          base={base}
          onTheirs={() => {
            setBase({ ...base, ...conflict });
            setDraft(draftOf(conflict));
            setConflict(null);
          }}
          onMine={() => {
            setBase({ ...base, ...conflict });
            void save(conflict.updatedAt, changes);
          }}
        />
      ) : null}
      {failure ? (
        <div className={classes.notes}>
          <Failure
            what="The properties may not have been saved"
            why={failure}
            advice="What you wrote is kept here. Save again when the server answers; saving twice does no harm."
          />
        </div>
      ) : null}
      <div className={classes.foot}>
        <small className={classes.muted}>What is set here stays; the device&apos;s messages no longer change it.</small>
        <span>
          <Button size="xs" variant="default" onClick={onDone} disabled={isSaving}>
            Cancel
          </Button>{" "}
          <Button size="xs" type="submit" loading={isSaving} disabled={Object.keys(changes).length === 0}>
            Save
          </Button>
        </span>
      </div>
    </form>
  );
}

interface ConflictProps {
  conflict: Draft | Pick<DeviceDetail, "site" | "type" | "notes">;
  base: DescribedDevice;
  onTheirs: () => void;
  onMine: () => void;
}

/** Someone else saved in between: says what they wrote, and lets the person decide. */
function Conflict({ conflict, base, onTheirs, onMine }: ConflictProps) {
  const theirs = FIELDS.filter((field) => (conflict[field] || null) !== base[field]);
  return (
    <div className={classes.conflict} role="alert">
      <MarkShape mark="warning" />
      <div>
        <p>
          <b>This device was changed meanwhile; nothing of yours was saved.</b>
        </p>
        {theirs.map((field) => (
          <p key={field}>
            {field}: {base[field] ?? "not given"} → {conflict[field] || "not given"}
          </p>
        ))}
        <span>
          <Button size="xs" variant="default" onClick={onTheirs}>
            Take theirs
          </Button>{" "}
          <Button size="xs" variant="default" onClick={onMine}>
            Save mine over it
          </Button>
        </span>
      </div>
    </div>
  );
}

function draftOf({ site, type, notes }: Pick<DeviceDetail, "site" | "type" | "notes">): Draft {
  return { site: site ?? "", type: type ?? "", notes: notes ?? "" };
}

/** Returns the differences from what the form began with; an empty field becomes null. */
function changesOf(draft: Draft, base: DescribedDevice): DeviceChanges {
  const changes: Record<string, string | null> = {};
  for (const field of FIELDS) {
    const value = draft[field].trim() || null;
    if (value !== base[field]) changes[field] = value;
  }
  return changes;
}
