"use client";
import { Checkbox, PasswordInput, Select, Textarea, TextInput } from "@mantine/core";
import type { SourceDoor } from "@/server/domain/source";
import { topicsIn } from "./words";

/** A door with nothing filled in. @param name of the source, for what is named after it. */
export function newDoor(type: SourceDoor["type"], name: string): SourceDoor {
  switch (type) {
    case "http":
      return { type };
    case "mqtt":
      return { type, topics: [] };
    case "mqtt-bridge":
      return { type, url: "", clientId: `fieldwatch-${name}`, username: null, ca: null, topics: ["#"], qos: 1 };
    case "kafka":
      return { type, brokers: [], ssl: false, sasl: null, group: `fieldwatch-${name}`, topics: [], from: "latest" };
  }
}

/** True if a door's settings say all it needs. */
export function isDoorReady(door: SourceDoor): boolean {
  if (door.type === "mqtt-bridge") return door.url !== "" && door.clientId !== "" && door.topics.length > 0;
  if (door.type === "kafka") return door.group !== "" && door.topics.length > 0;
  return true;
}

type Mechanism = NonNullable<Extract<SourceDoor, { type: "kafka" }>["sasl"]>["mechanism"];

interface DoorFieldsProps {
  door: SourceDoor;
  onChange: (door: SourceDoor) => void;
  /** What the door signs in with elsewhere. */
  secret: string;
  onSecret: (secret: string) => void;
  /** True where one is kept already, which an empty field leaves. */
  hasSecret?: boolean;
}

/** The settings of a source's own door; nothing for HTTP, which has none. */
export function DoorFields({ door, onChange, secret, onSecret, hasSecret = false }: DoorFieldsProps) {
  if (door.type === "http") return null;
  const topics = (
    <Lines
      label={door.type === "kafka" ? "Topics" : "Topic filters"}
      placeholder={door.type === "mqtt" ? "any; or one a line, with + and #" : "one a line"}
      lines={door.topics}
      onChange={(lines) => onChange({ ...door, topics: lines })}
    />
  );
  if (door.type === "mqtt") return topics;
  const password = (
    <PasswordInput
      label="Password there"
      placeholder={hasSecret ? "as it is" : "none"}
      value={secret}
      onChange={(event) => onSecret(event.currentTarget.value)}
      autoComplete="new-password"
      maxLength={1024}
    />
  );
  if (door.type === "mqtt-bridge")
    return (
      <>
        <TextInput
          label="Broker"
          placeholder="mqtt://host:1883 or mqtts://host:8883"
          value={door.url}
          onChange={(event) => onChange({ ...door, url: event.currentTarget.value.trim() })}
          spellCheck={false}
          autoComplete="off"
          maxLength={512}
        />
        {topics}
        <TextInput
          label="User name there"
          placeholder="none"
          value={door.username ?? ""}
          onChange={(event) => onChange({ ...door, username: event.currentTarget.value || null })}
          autoComplete="off"
          maxLength={256}
        />
        {password}
        <TextInput
          label="Client id"
          description="The broker knows Fieldwatch by it: no other client may have the same."
          value={door.clientId}
          onChange={(event) => onChange({ ...door, clientId: event.currentTarget.value.trim() })}
          spellCheck={false}
          autoComplete="off"
          maxLength={128}
        />
        <Select
          label="Quality of service"
          data={[
            { value: "1", label: "1, each message at least once" },
            { value: "0", label: "0, each message at most once" },
          ]}
          allowDeselect={false}
          value={String(door.qos)}
          onChange={(qos) => onChange({ ...door, qos: qos === "0" ? 0 : 1 })}
        />
        {door.url.startsWith("mqtts:") ? (
          <Textarea
            label="Authority of its certificate"
            placeholder="those the system trusts; or another one, as PEM"
            value={door.ca ?? ""}
            onChange={(event) => onChange({ ...door, ca: event.currentTarget.value.trim() || null })}
            autosize
            minRows={1}
            maxRows={6}
            spellCheck={false}
            autoComplete="off"
            maxLength={16_384}
          />
        ) : null}
      </>
    );
  return (
    <>
      <Lines
        label="Brokers"
        placeholder="those Fieldwatch itself uses; or host:port, one a line"
        lines={door.brokers}
        onChange={(brokers) => onChange({ ...door, brokers })}
      />
      {topics}
      <Select
        label="Reads"
        data={[
          { value: "latest", label: "What comes from now on" },
          { value: "earliest", label: "All that is there" },
        ]}
        allowDeselect={false}
        value={door.from}
        onChange={(from) => onChange({ ...door, from: from as "earliest" | "latest" })}
      />
      <TextInput
        label="User name there"
        placeholder="none"
        value={door.sasl?.username ?? ""}
        onChange={(event) => {
          const username = event.currentTarget.value;
          onChange({
            ...door,
            sasl: username === "" ? null : { mechanism: door.sasl?.mechanism ?? "scram-sha-512", username },
          });
        }}
        autoComplete="off"
        maxLength={256}
      />
      {door.sasl ? (
        <>
          <Select
            label="Sign-in by"
            data={[
              { value: "scram-sha-512", label: "SCRAM-SHA-512" },
              { value: "scram-sha-256", label: "SCRAM-SHA-256" },
              { value: "plain", label: "PLAIN" },
            ]}
            allowDeselect={false}
            value={door.sasl.mechanism}
            onChange={(mechanism) =>
              onChange({ ...door, sasl: door.sasl && { ...door.sasl, mechanism: mechanism as Mechanism } })
            }
          />
          {password}
        </>
      ) : null}
      <Checkbox
        label="Over TLS"
        checked={door.ssl}
        onChange={(event) => onChange({ ...door, ssl: event.currentTarget.checked })}
      />
      <TextInput
        label="Consumer group"
        description="What it has read is kept there under this name: another one begins anew."
        value={door.group}
        onChange={(event) => onChange({ ...door, group: event.currentTarget.value.trim() })}
        spellCheck={false}
        autoComplete="off"
        maxLength={128}
      />
    </>
  );
}

interface LinesProps {
  label: string;
  placeholder: string;
  lines: readonly string[];
  onChange: (lines: string[]) => void;
}

/** Several short texts, one a line. The text is kept as it is typed. */
function Lines({ label, placeholder, lines, onChange }: LinesProps) {
  return (
    <Textarea
      label={label}
      placeholder={placeholder}
      defaultValue={lines.join("\n")}
      onChange={(event) => onChange(topicsIn(event.currentTarget.value))}
      autosize
      minRows={1}
      maxRows={6}
      spellCheck={false}
      autoComplete="off"
    />
  );
}
