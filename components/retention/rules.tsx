"use client";
import { Button } from "@mantine/core";
import dynamic from "next/dynamic";
import { useState } from "react";
import type { RetentionAnswer } from "@/server/contracts/retention";
import { keptWords } from "@/server/domain/kept-words";
import { useClock } from "../ui/clock";
import { formatUntil } from "../ui/format";
import { Section } from "../ui/section";
import classes from "./retention.module.css";
import { RemoveRule } from "./remove-rule";
import { selectedWords } from "./words";

const RuleDialog = dynamic(() => import("./rule-dialog").then((dialog) => dialog.RuleDialog), { ssr: false });

type Rule = RetentionAnswer["rules"][number];

/** The rules for some series, in the order in which they hold, with what changes them. */
export function Rules({ data, mayChange }: { data: RetentionAnswer; mayChange: boolean }) {
  const [changed, setChanged] = useState<Rule | "new" | null>(null);
  const [removed, setRemoved] = useState<Rule | null>(null);
  const wait = useClock((now) => (data.rulesApplyAt ? formatUntil(Date.parse(data.rulesApplyAt) - now) : ""));
  const general = Object.fromEntries(data.items.map(({ keeps, days }) => [keeps, days])) as GeneralDays;
  return (
    <Section
      title="Rules for some"
      aside={
        mayChange ? (
          <Button size="compact-sm" variant="default" onClick={() => setChanged("new")}>
            Add rule…
          </Button>
        ) : null
      }
    >
      {data.rules.length === 0 ? (
        <p className={classes.about}>
          None: everything goes by the times above. A rule keeps a metric, a type of devices or a site for another time.
        </p>
      ) : (
        <>
          <p className={classes.about}>
            The first that matches holds, instead of the times above.
            {wait ? ` They begin to remove ${wait}.` : ""}
          </p>
          <ol className={classes.kinds}>
            {data.rules.map((rule) => (
              <li key={rule.id} className={classes.rule}>
                <div className={classes.what}>
                  <h3>{selectedWords(rule)}</h3>
                </div>
                <Kept label="Readings" days={rule.raw} />
                <Kept label="Minutes" days={rule.minutes} />
                <Kept label="Hours" days={rule.hours} />
                {mayChange ? (
                  <div className={classes.ruleActions}>
                    <Button
                      size="compact-xs"
                      variant="default"
                      aria-label={`Change the rule of ${selectedWords(rule)}`}
                      onClick={() => setChanged(rule)}
                    >
                      Change
                    </Button>
                    <Button
                      size="compact-xs"
                      variant="subtle"
                      aria-label={`Remove the rule of ${selectedWords(rule)}`}
                      onClick={() => setRemoved(rule)}
                    >
                      Remove
                    </Button>
                  </div>
                ) : null}
              </li>
            ))}
          </ol>
        </>
      )}
      {changed ? (
        <RuleDialog
          rule={changed === "new" ? null : changed}
          general={general}
          leastDays={data.leastDays}
          onClose={() => setChanged(null)}
        />
      ) : null}
      {removed ? <RemoveRule rule={removed} onClose={() => setRemoved(null)} /> : null}
    </Section>
  );
}

type GeneralDays = Record<RetentionAnswer["items"][number]["keeps"], number | null>;

function Kept({ label, days }: { label: string; days: number | null }) {
  return (
    <div className={classes.cell}>
      <span>{keptWords(days)}</span>
      <small>{label}</small>
    </div>
  );
}
