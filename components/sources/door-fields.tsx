"use client";
import { PasswordInput, Select, Textarea, TextInput } from "@mantine/core";
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
      {door.sasl ? password : null}
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
