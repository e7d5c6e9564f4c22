import { z } from "zod";
import { TEST_DEVICE, PROBE_STAGES } from "@/server/domain/probe-message";
import { instant } from "./common";

export const testMessageBody = z.strictObject({
  device: z.string().default(TEST_DEVICE).describe("Whom the message is from; a device like any other"),
});

const stationState = z
  .enum(["done", "waiting", "failing", "unknown"])
  .describe("waiting: not there yet · failing: stuck, with the cause · unknown: it can't be asked")
  .meta({ id: "StationState" });

const station = z
  .object({
    name: z.enum(PROBE_STAGES),
    title: z.string(),
    state: stationState,
    found: z.string().describe("What is known of it, in one sentence"),
    tookMs: z.number().nullable().describe("From the station before to this one; null until it is reached"),
    atMs: z.number().nullable().describe("Since the route accepted the message"),
    cause: z.string().nullable(),
    fix: z.string().nullable(),
    commands: z.array(z.string()),
  })
  .meta({ id: "Station" });

export const probeMessage = z
  .object({
    id: z.string(),
    device: z.string(),
    eventTime: instant,
    acceptedAt: instant,
    state: stationState.describe("done when the live frame was sent; failing when one station is"),
    trace: z
      .object({ id: z.string(), url: z.string().nullable().describe("Where to look at it; null: TRACE_URL isn't set") })
      .nullable()
      .describe("Its trace; null: traces are off, or were when it was sent"),
    totalMs: z.number().nullable().describe("From the route to the live frame; null until then"),
    stations: z.array(station).describe("In the order a message comes by them"),
  })
  .meta({ id: "ProbeMessage" });

/** The latest test messages, newest first. */
export const probeMessages = z.object({ items: z.array(probeMessage) }).meta({ id: "ProbeMessages" });

export type StationState = z.infer<typeof stationState>;
export type Station = z.infer<typeof station>;
export type ProbeMessageView = z.infer<typeof probeMessage>;
export type ProbeMessagesAnswer = z.infer<typeof probeMessages>;
