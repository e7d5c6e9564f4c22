import { z } from "zod";
import { instant } from "./common";

const setupOutcome = z
  .enum(["done", "warned", "failed", "stopped", "brokenOff", "running"])
  .describe(
    "done: it worked · warned: it went on without something · failed: with cause and fix · stopped: by its user · " +
      "brokenOff: ended without a word, as by kill -9 or a power cut · running: under way",
  )
  .meta({ id: "SetupOutcome" });

const trouble = {
  cause: z.string().nullable().describe("Why it isn't done, as it was told then"),
  fix: z.string().nullable().describe("What to do, as it was told then"),
  commands: z.array(z.string()).describe("Parts of fix that can be copied and run or set as they are"),
};

const setupStep = z
  .object({
    name: z.string().describe("e.g. install, PostgreSQL, migrations, worker"),
    startedAt: instant,
    durationMs: z.int().min(0).nullable().describe("Null while it is under way, or when nobody knows"),
    outcome: setupOutcome,
    ...trouble,
  })
  .meta({ id: "SetupStep" });

const setupAttempt = z
  .object({
    id: z.string(),
    startedAt: instant,
    durationMs: z.int().min(0).nullable(),
    outcome: setupOutcome,
    version: z.string().nullable().describe("Fieldwatch's"),
    node: z.string().nullable(),
    what: z.string().nullable().describe("What could not be done, in one line"),
    ...trouble,
    steps: z.array(setupStep).describe("In the order they began; some run side by side"),
  })
  .meta({ id: "SetupAttempt" });

/** Every recorded `npm start` on the data folder, newest first; at most 50. */
export const setupAnswer = z.object({ attempts: z.array(setupAttempt) }).meta({ id: "Setup" });

export type SetupOutcome = z.infer<typeof setupOutcome>;
export type SetupStepView = z.infer<typeof setupStep>;
export type SetupAttemptView = z.infer<typeof setupAttempt>;
export type SetupAnswer = z.infer<typeof setupAnswer>;
