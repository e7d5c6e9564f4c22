"use client";
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { AlertRule } from "@/server/contracts/rules";
import { counted } from "@/server/domain/counted";
import { saidOf } from "../queries/request";
import { changeRule, ruleMatchesQuery, RULES } from "../queries/rules";
import { whyAddress } from "../queries/why";
import { Age } from "../ui/age";
import { Link } from "../ui/link";
import { StateMark } from "../ui/state-mark";
import { Noise } from "./rule-noise";
import { goesByValidRange } from "./words";
import classes from "./rules.module.css";

interface RuleProps {
  readonly rule: AlertRule;
  /** How often it fired on each of the last 30 days; undefined until that is known. */
  readonly days: readonly number[] | undefined;
  /** How often all rules did. */
  readonly all: number;
  readonly mayEdit: boolean;
  readonly onOpen: (what: "edit" | "history" | "remove") => void;
}

/** One rule: its sentence, what it watches, what of it fires, and what can be done with it. */
export function Rule({ rule, days, all, mayEdit, onOpen }: RuleProps) {
  const { id, name, enabled, version, sentence, note, firing, updatedAt, updatedBy, spec, inForce } = rule;
  const queries = useQueryClient();
  const { data: matches } = useQuery(ruleMatchesQuery(spec));
  const turn = useMutation({
    mutationFn: () => changeRule(id, { enabled: !enabled, version }),
    onSettled: () => queries.invalidateQueries({ queryKey: [RULES] }),
  });
  const button = { size: "compact-xs", variant: "default" } as const;
  return (
    <li className={classes.rule} data-rule={name} data-off={!enabled || undefined}>
      <span className={classes.standing}>
        <StateMark mark={enabled ? "ok" : "stale"} word={enabled ? "On" : "Off"} />
        {enabled && !inForce ? <small>taking hold</small> : null}
      </span>
      <div className={classes.what}>
        <h2>{name}</h2>
        <p>{sentence}</p>
        {note ? <small>{note}</small> : null}
        {turn.error ? <p role="alert">{saidOf(turn.error)}</p> : null}
      </div>
      <div className={classes.cell}>
        <span>{matches && spec.kind !== "pipeline" ? counted(matches.devices, "device") : ""}</span>
        <small>
          {matches && spec.kind !== "silence" && spec.kind !== "quality" && spec.kind !== "pipeline" ? (
            matches.series === 0 && goesByValidRange(spec) ? (
              <Link href="/metrics">no metric of it has a valid range: set one</Link>
            ) : (
              counted(matches.series, "series", "series")
            )
          ) : (
            ""
          )}
        </small>
      </div>
      <div className={classes.cell}>
        {firing > 0 ? <Link href={`/alerts?rule=${id}`}>{firing} firing</Link> : <span>Nothing fires</span>}
      </div>
      <div className={classes.cell}>{days ? <Noise days={days} all={all} id={id} firing={firing} /> : null}</div>
      <div className={classes.cell}>
        <Age time={updatedAt} />
        <small>by {updatedBy}</small>
      </div>
      <div className={classes.actions}>
        {mayEdit ? (
          <Button {...button} aria-label={`Change ${name}`} onClick={() => onOpen("edit")}>
            Change
          </Button>
        ) : null}
        {mayEdit ? (
          <Button
            {...button}
            loading={turn.isPending}
            aria-label={`Turn ${enabled ? "off" : "on"} ${name}`}
            onClick={() => turn.mutate()}
          >
            Turn {enabled ? "off" : "on"}
          </Button>
        ) : null}
        <Button
          {...button}
          component={Link}
          href={whyAddress({ rule: String(id) })}
          aria-label={`Why ${name} fired or didn’t`}
        >
          Why?
        </Button>
        <Button {...button} aria-label={`Versions of ${name}`} onClick={() => onOpen("history")}>
          Versions
        </Button>
        {mayEdit ? (
          <Button {...button} aria-label={`Delete ${name}`} onClick={() => onOpen("remove")}>
            Delete
          </Button>
        ) : null}
      </div>
    </li>
  );
}
