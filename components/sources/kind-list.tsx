"use client";
import { TextInput } from "@mantine/core";
import { useState } from "react";
import type { SourcePayload, SourceTemplatesAnswer } from "@/server/contracts/sources";
import type { SourceKind } from "@/server/domain/source";
import classes from "./sources.module.css";
import { DOORS } from "./words";

export type Template = SourceTemplatesAnswer["items"][number];

interface KindListProps {
  templates: readonly Template[];
  chosen: SourceKind | null;
  onChoose: (kind: SourceKind) => void;
}

/** The senders there are templates for, to choose one. */
export function KindList({ templates, chosen, onChoose }: KindListProps) {
  const [search, setSearch] = useState("");
  const found = templates.filter((template) => isFound(template, search));
  return (
    <div className={classes.kinds}>
      <TextInput
        aria-label="Search senders"
        placeholder="Search by the sender’s name"
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          if (found[0]) onChoose(found[0].kind);
        }}
        autoComplete="off"
        spellCheck={false}
        maxLength={64}
        data-autofocus
      />
      <ul className={classes.kindList} aria-label="Senders" data-scrolls>
        {found.map(({ kind, title, doors }) => (
          <li key={kind}>
            <button type="button" aria-pressed={kind === chosen} onClick={() => onChoose(kind)}>
              <b>{title}</b> <small>{doorWords(doors)}</small>
            </button>
          </li>
        ))}
        {found.length === 0 ? (
          <li className={classes.noKind}>None is called that. Generic JSON reads most; or paste what it sends.</li>
        ) : null}
      </ul>
    </div>
  );
}

function isFound({ kind, title }: Template, search: string): boolean {
  const words = `${title} ${kind}`.toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => words.includes(word));
}

/** By which ways its messages may come: "HTTP, MQTT". */
function doorWords(doors: Template["doors"]): string {
  const words = doors.map((door) => (door in DOORS ? DOORS[door as keyof typeof DOORS].title : "HTTP"));
  return [...new Set(words)].join(", ");
}

/** The ways a source of a template may take, each once: those with addresses of their own are HTTP. */
export function doorTypes({ doors }: Template): readonly (keyof typeof DOORS)[] {
  return [...new Set(doors.map((door) => (door === "influx" || door === "otlp" ? "http" : door)))];
}

/** True if there is something to guess by. */
export function hasPayload({ body, topic }: SourcePayload): boolean {
  return body.trim() !== "" || topic !== null;
}
