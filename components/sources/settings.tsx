"use client";
import { Button } from "@mantine/core";
import dynamic from "next/dynamic";
import { type ReactNode, useState } from "react";
import type { SourceView } from "@/server/contracts/sources";
import type { SourceDoor } from "@/server/domain/source";
import { readable } from "@/server/domain/readable";
import { formatTotal } from "../ui/format";
import { Section } from "../ui/section";
import classes from "./sources.module.css";
import { ANSWERS, DOORS, labelsText } from "./words";

const EditSettings = dynamic(() => import("./edit-settings").then((dialog) => dialog.EditSettings), { ssr: false });

/** What people say about a source: how it answers, whose devices it sends for, and how much it may send. */
export function Settings({ source, mayEdit }: { source: SourceView; mayEdit: boolean }) {
  const [isEditing, setEditing] = useState(false);
  const { answer, labels, messagesPerSecond, bytesPerSecond, door, site, title } = source;
  const facts: readonly (readonly [string, ReactNode])[] = [
    ["Title", title === null ? <small key="title">not given</small> : readable(title)],
    ["Site", site === null ? "any" : readable(site)],
    ["Comes in by", doorWords(door)],
    ["What can’t be read", ANSWERS[answer].title],
    ["Messages", messagesPerSecond === null ? "no limit of its own" : `${formatTotal(messagesPerSecond)}/s at most`],
    ["Bytes", bytesPerSecond === null ? "no limit of its own" : `${formatTotal(bytesPerSecond)} B/s at most`],
    ["Labels of its devices", labelsText(labels).split("\n").join(", ") || <small key="labels">none</small>],
  ];
  return (
    <Section
      title="Settings"
      aside={
        mayEdit ? (
          <Button size="xs" variant="default" onClick={() => setEditing(true)}>
            Edit…
          </Button>
        ) : null
      }
    >
      <dl className={classes.settings}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {isEditing ? <EditSettings source={source} onClose={() => setEditing(false)} /> : null}
    </Section>
  );
}

function doorWords(door: SourceDoor): string {
  const { title } = DOORS[door.type];
  switch (door.type) {
    case "http":
      return title;
    case "mqtt":
      return door.topics.length === 0 ? `${title}, any topic` : `${title}: ${door.topics.join(", ")}`;
    case "mqtt-bridge":
      return `${title} ${door.url}: ${door.topics.join(", ")}`;
    case "kafka":
      return `${title}: ${door.topics.join(", ")}`;
  }
}
