"use client";
import { Button, Checkbox, NumberInput, PasswordInput, Select, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { channelProblems, type ChannelView } from "@/server/contracts/notifications";
import { CHANNEL_KINDS, type ChannelKind, CHANNELS } from "@/server/domain/notifications/channel";
import { changeChannel, makeChannel, NOTIFICATIONS } from "../queries/notifications";
import { RequestError } from "../queries/request";
import { FormDialog } from "../shell/form-dialog";
import { CHANNEL_FIELDS, type ChannelField, type Filled, filledFrom, partOf, placeOf } from "./channel-fields";
import classes from "./notifications.module.css";

interface ChannelDialogProps {
  /** Null: a new one. */
  channel: ChannelView | null;
  others: readonly ChannelView[];
  onSaved: (channel: ChannelView) => void;
  onClose: () => void;
}

/** Makes a channel or changes one: what its kind needs, and no more. Secrets that are set are never shown, only replaced. */
export function ChannelDialog({ channel, others, onSaved, onClose }: ChannelDialogProps) {
  const queries = useQueryClient();
  const [kind, setKind] = useState<ChannelKind>(channel?.kind ?? "email");
  const [name, setName] = useState(channel?.name ?? "");
  const [filled, setFilled] = useState<Filled>(channel ? filledFrom(channel.kind, channel.settings ?? {}) : {});
  const [kept, setKept] = useState<readonly string[]>(channel?.secrets ?? []);
  const [enabled, setEnabled] = useState(channel?.enabled ?? true);
  const [fallback, setFallback] = useState(channel?.fallback ?? null);
  const [mostPerHour, setMostPerHour] = useState<number | string>(channel?.mostPerHour ?? 120);
  const settings = partOf(kind, "settings", filled);
  const given = partOf(kind, "secrets", filled) as Record<string, string>;
  const save = useMutation({
    mutationFn: () => {
      const all = { name: name.trim(), settings, enabled, fallback, mostPerHour: Number(mostPerHour) };
      if (channel === null) return makeChannel({ ...all, kind, secrets: given });
      const gone = channel.secrets.filter((one) => !kept.includes(one) && given[one] === undefined);
      const secrets = { ...given, ...Object.fromEntries(gone.map((one) => [one, null])) };
      return changeChannel(channel.id, {
        ...{ ...all, revision: channel.revision },
        ...(Object.keys(secrets).length > 0 && { secrets }),
      });
    },
    onSuccess: async (saved) => {
      await queries.invalidateQueries({ queryKey: [NOTIFICATIONS] });
      onSaved(saved);
    },
  });
  // What is kept is right already; which of it is there is all that is known of it.
  const problems = channelProblems(kind, { settings, secrets: given }).filter(
    ({ at }) => !(at.startsWith("secrets") && kept.length > 0 && isAbsent(at, given)),
  );
  const refused = save.error instanceof RequestError ? (save.error.problem?.errors ?? []) : [];
  const faultAt = (place: string) =>
    (filled[place]?.trim() ? problems : []).concat(refused).find(({ at }) => at === place || at.startsWith(`${place}.`))
      ?.message ?? null;
  const set = (place: string, text: string) => {
    setFilled({ ...filled, [place]: text });
    save.reset();
  };
  return (
    <FormDialog
      title={channel ? `Change ${channel.name}` : "Add a channel"}
      act={channel ? "Save the channel" : "Add the channel"}
      failed={channel ? "Nothing was changed" : "No channel was added"}
      isReady={name.trim() !== "" && problems.length === 0 && Number(mostPerHour) >= 1}
      isSending={save.isPending}
      error={save.error}
      onSubmit={() => save.mutate()}
      onClose={onClose}
    >
      {channel ? null : (
        <Select
          label="Kind"
          data={CHANNEL_KINDS.map((value) => ({ value, label: CHANNELS[value].title }))}
          allowDeselect={false}
          value={kind}
          onChange={(value) => {
            setKind(value as ChannelKind);
            setFilled({});
            save.reset();
          }}
        />
      )}
      <TextInput
        label="Name"
        placeholder="On-call"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        maxLength={100}
        autoComplete="off"
        data-autofocus
      />
      <div className={classes.fields}>
        {CHANNEL_FIELDS[kind].map((field) => (
          <div key={placeOf(field)} data-half={field.half}>
            {field.part === "secrets" && kept.includes(field.name) ? (
              <Kept label={field.label} onReplace={() => setKept(kept.filter((one) => one !== field.name))} />
            ) : (
              <Field
                field={field}
                text={filled[placeOf(field)] ?? ""}
                fault={faultAt(placeOf(field))}
                willGo={field.part === "secrets" && channel?.secrets.includes(field.name) === true}
                onText={(text) => set(placeOf(field), text)}
              />
            )}
          </div>
        ))}
      </div>
      <Select
        label="If it can’t be used"
        placeholder="nobody is told; Health shows it"
        data={others
          .filter(({ id }) => id !== channel?.id)
          .map((one) => ({ value: String(one.id), label: `${one.name} is told` }))}
        clearable
        clearButtonProps={{ "aria-label": "Nobody is told" }}
        value={fallback === null ? null : String(fallback)}
        onChange={(value) => setFallback(value === null ? null : Number(value))}
      />
      <NumberInput
        label="At most"
        description="What is more waits five minutes, and is told together."
        inputWrapperOrder={["label", "input", "description"]}
        suffix=" messages an hour"
        min={1}
        max={100_000}
        allowDecimal={false}
        value={mostPerHour}
        onChange={setMostPerHour}
      />
      {channel ? (
        <Checkbox
          label="On"
          description="While it is off nothing is sent there, and nothing is kept for it."
          checked={enabled}
          onChange={(event) => setEnabled(event.currentTarget.checked)}
        />
      ) : null}
    </FormDialog>
  );
}

/** True if a problem is about a secret that isn't given now. */
function isAbsent(at: string, given: Readonly<Record<string, string>>): boolean {
  return given[at.split(".")[1] ?? ""] === undefined;
}

/** A secret that is set: it can be replaced, and is never shown. */
function Kept({ label, onReplace }: { label: string; onReplace: () => void }) {
  return (
    <div className={classes.kept}>
      <span>{label}</span>
      <small>set, never shown</small>
      <Button size="compact-xs" variant="default" aria-label={`Replace: ${label}`} onClick={onReplace}>
        Replace
      </Button>
    </div>
  );
}

const ORDER: ("label" | "input" | "description" | "error")[] = ["label", "input", "description", "error"];

interface FieldProps {
  field: ChannelField;
  text: string;
  fault: string | null;
  /** True if a secret that is set goes away when nothing is filled in. */
  willGo: boolean;
  onText: (text: string) => void;
}

function Field({ field, text, fault, willGo, onText }: FieldProps) {
  const { label, description, choices, is } = field;
  const placeholder = willGo ? "nothing here takes it away" : field.placeholder;
  const own = {
    ...{ label, value: text, error: fault, autoComplete: "off", spellCheck: false, inputWrapperOrder: ORDER },
    ...(placeholder && { placeholder }),
    ...(description && { description }),
  };
  if (choices)
    return (
      <Select
        label={label}
        data={Object.entries(choices).map(([value, title]) => ({ value, label: title }))}
        allowDeselect={false}
        value={text || Object.keys(choices)[0]!}
        onChange={(value) => onText(value ?? "")}
      />
    );
  if (field.part === "secrets")
    return (
      <PasswordInput {...own} autoComplete="new-password" onChange={(event) => onText(event.currentTarget.value)} />
    );
  if (is === "lines" || is === "text-area")
    return (
      <Textarea {...own} autosize minRows={1} maxRows={6} onChange={(event) => onText(event.currentTarget.value)} />
    );
  return (
    <TextInput
      {...own}
      {...(is === "number" && { inputMode: "numeric" })}
      onChange={(event) => onText(event.currentTarget.value)}
    />
  );
}
