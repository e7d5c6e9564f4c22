"use client";
import type { ReactNode } from "react";
import type { DeadLetterView } from "@/server/contracts/dead-letters";
import { formatDuration, formatInstant, formatTotal } from "../ui/format";
import { Section } from "../ui/section";
import { useZone } from "../ui/zone";
import classes from "./letter.module.css";

const WIDE = new Set(["Ingest time", "Log", "Refused"]);

/** What is to be known of a whole delivery: which mapping refused what of it. */
function deliveryFacts({ version, refusals, refused, topic }: NonNullable<DeadLetterView["delivery"]>) {
  const words = refusals.map(({ path, reason, detail }) => `${path === "" ? "all of it" : path}: ${reason}, ${detail}`);
  const more = refused - refusals.length;
  return [
    ["Mapping", `version ${version}`],
    ...(topic === null ? [] : ([["Topic", topic]] as const)),
    ["Refused", [...words, ...(more > 0 ? [`${formatTotal(more)} more`] : [])].join("; ")],
  ] as const;
}

/** The place in the event log that a dead letter came from, and the time. */
export function LetterOrigin({ letter }: { letter: DeadLetterView }) {
  const { zone } = useZone();
  const { source, delivery, device, field, log, partition, offset, ingestTime, processedTime, resends } = letter;
  const [ingest, processed] = [Date.parse(ingestTime), Date.parse(processedTime)];
  const facts: readonly (readonly [string, ReactNode])[] = [
    ["Device", device ?? "could not be read"],
    ["Field", field ?? "the whole message"],
    ...(source === null ? [] : ([["Source", source]] as const)),
    ...(delivery === null ? [] : deliveryFacts(delivery)),
    ["Ingest time", formatInstant(ingest, zone)],
    ["Resends", resends === 0 ? "none" : formatTotal(resends)],
    ["Processed", `${formatDuration(Math.max(0, processed - ingest))} later`],
    ["Partition", formatTotal(partition)],
    ["Offset", formatTotal(offset)],
    ["Log", <code key="log">{log}</code>],
  ];
  return (
    <Section title="Where it came from">
      <dl className={classes.facts}>
        {facts.map(([name, value]) => (
          <div key={name} data-wide={WIDE.has(name) || undefined}>
            <dt>{name}</dt>
            <dd title={name === "Processed" ? formatInstant(processed, zone) : undefined}>{value}</dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}
