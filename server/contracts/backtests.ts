import { z } from "zod";
import { ruleSpec } from "@/server/domain/alerts/rule";
import { instant, moment, text } from "./common";

const range = {
  from: moment.optional().describe("Seven days before `to` if left out"),
  to: moment.optional().describe("Now if left out"),
};

/** A rule to be tried on one device. */
export const backtestBody = z.strictObject({ spec: ruleSpec, device: text(128).min(1).describe("Its name"), ...range });

const episode = z.object({
  metric: z.string().nullable().describe("The metric that its values are of; null: of none"),
  severity: z.enum(["warning", "critical"]),
  startedAt: instant,
  firedAt: instant,
  endedAt: instant.nullable().describe("Null: it goes on at the end of the range"),
  firstValue: z.number().nullable(),
  worstValue: z.number().nullable(),
  worstAt: instant.nullable(),
  lastValue: z.number().nullable(),
  flaps: z.int().describe("How often it was nearly over"),
  flapping: z.boolean(),
  noDataSince: instant.nullable(),
  closedReason: z.string().nullable(),
});

const sums = {
  episodes: z.int(),
  firingMs: z.number().describe("How long they fire, together"),
  longestMs: z.number(),
  messages: z
    .int()
    .nullable()
    .describe("By the routes as they are, without repeats; null: not counted yet, or too many"),
  untold: z.int().describe("Alerts that no route takes"),
  unknownHours: z.int().describe("Hours whose readings aren't kept any more: whether it fired in them can't be told"),
};

/** What a rule would have done with one device. */
export const backtestAnswer = z
  .object({
    device: z.string(),
    selected: z.boolean().describe("False: the rule isn't for this device"),
    from: instant,
    to: instant,
    series: z.int().describe("The device's series that it watches"),
    share: z.number().describe("The part of the range in which it fires, 0 to 1; the mean of its series"),
    ...sums,
    items: z.array(episode).describe("By time; the first 500"),
  })
  .meta({ id: "Backtest" });

/** A rule to be tried on all its devices. */
export const backtestJobBody = z.strictObject({
  spec: ruleSpec,
  name: text(128).default("").describe("What the rule is called: messages may go by it"),
  ...range,
});

export const backtestJob = z
  .object({
    id: z.string(),
    status: z.enum(["waiting", "running", "done", "stopped", "failed"]),
    done: z.int().describe("Devices looked at"),
    total: z.int().describe("Devices there are"),
    from: instant,
    to: instant,
    createdAt: instant,
    finishedAt: instant.nullable(),
    error: z.string().nullable(),
    devices: z.int().describe("Devices that the rule watches, so far"),
    series: z.int(),
    share: z.number().describe("The part of the range in which a series fires, 0 to 1"),
    firingDevices: z.int().describe("Devices on which it would have fired"),
    firingNow: z.int().describe("Those on which it would fire at the end"),
    ...sums,
    items: z
      .array(
        z.object({
          device: z.string(),
          site: z.string().nullable(),
          episodes: z.int(),
          firingMs: z.number(),
          longestMs: z.number(),
          firingNow: z.boolean(),
          lastFiredAt: instant,
        }),
      )
      .describe("The 100 devices with most episodes"),
  })
  .meta({ id: "BacktestJob" });

export const backtestPath = z.object({ id: text(64).min(1).describe("The run's id") });

export type Backtest = z.infer<typeof backtestAnswer>;
export type BacktestJob = z.infer<typeof backtestJob>;
