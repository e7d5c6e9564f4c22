"use client";
import { useQuery } from "@tanstack/react-query";
import type { DeadLetterView } from "@/server/contracts/dead-letters";
import { metricsQuery } from "../queries/metrics";
import { Section } from "../ui/section";
import { type Part, partAtFault } from "./fault";
import classes from "./letter.module.css";

/** Shows what would have been accepted: how to mend the message, and a message's shape with the part in question marked. */
export function Expected({ letter }: { letter: DeadLetterView }) {
  const { reason, field, device, fix } = letter;
  const metrics = useQuery(metricsQuery());
  const part = partAtFault(reason);
  const metric = metrics.data?.items.find(({ name }) => name === field);
  const example = metric?.kind === "boolean" ? "true" : "21.3";
  const isLabel = reason === "badLabel";
  const name = reason === "badName" || isLabel || field === null ? "temperature" : field;
  const lines: readonly (readonly [Part | null, string])[] = [
    [null, "{"],
    ["device", `  "device": ${JSON.stringify(device ?? "press-07")},`],
    ["time", '  "time": "2026-11-23T21:10:00Z",'],
    ...(isLabel ? [["field", `  ${JSON.stringify(field)}: "Hall 7, north",`] as const] : []),
    ["readings", '  "readings": {'],
    [isLabel ? null : "field", `    ${JSON.stringify(name)}: ${example}`],
    ["readings", "  }"],
    [null, "}"],
  ];
  return (
    <Section title="Expected">
      <pre className={classes.bytes} role="group" tabIndex={0} aria-label="Shape of a message">
        {lines.map(([of, text], i) => (
          <span key={i} className={classes.line} data-marked={of === part || undefined}>
            {text}
          </span>
        ))}
      </pre>
      <p className={classes.caption}>
        {fix}
        {reason === "typeDrift" && metric ? ` ${metric.name} is a ${metric.kind} elsewhere.` : null}
      </p>
    </Section>
  );
}
