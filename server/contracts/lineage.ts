import { z } from "zod";
import { DATASETS, STAGES } from "@/server/domain/lineage";
import { instant } from "./common";

const node = z.object({
  id: z.string().describe("Of this answer: a kind of dataset, or source: and a source's name"),
  kind: z.enum(DATASETS),
  stage: z.enum(STAGES).describe("Its column in the picture"),
  title: z.string(),
  meaning: z.string(),
  owner: z.string().nullable().describe("Who answers for it, by DATA_OWNER; null: nobody has said"),
  metricOwners: z
    .array(z.string())
    .describe("Who answers for metrics in it that have an owner of their own, by the alphabet"),
  writtenBy: z.string().describe("What writes it"),
  where: z.string().describe("The engine, and what holds it there"),
  keptDays: z.number().nullable().describe("Days it is kept; null: for ever, or as long as its device"),
  setBy: z.string().nullable().describe("The variable that sets it, or the page; null: nothing does"),
  rows: z
    .object({
      count: z.number(),
      of: z.string().describe("What is counted, to stand after the number"),
      isAbout: z.boolean().describe("True where PostgreSQL's own count is taken, which runs behind a little"),
    })
    .nullable()
    .describe("Null: not counted there"),
  bytes: z.number().nullable().describe("Indexes included; null: it lies where they aren't measured"),
  newest: instant.nullable().describe("When something was last written to it; null: not known, or never"),
  page: z.string().describe("The page that shows it"),
});

const edge = z.object({
  from: z.string(),
  to: z.string(),
  by: z.string().describe("What brings it on"),
  job: z.string().nullable().describe("The job it is; null: it isn't one"),
  count: z
    .number()
    .nullable()
    .describe(
      "What went this way since the start; of jobs, in the runs that are remembered; of rollups, about those there are; null: nobody counts",
    ),
  of: z.string().nullable().describe("What is counted, to stand after the number"),
  runs: z.int().nullable().describe("Of a job: runs that are remembered and did something, or failed"),
  failed: z.int().nullable().describe("Of them, those that failed"),
  lastAt: instant.nullable().describe("When something last went this way"),
});

/** What data there is, and how one comes of another. */
export const lineageAnswer = z
  .object({
    time: instant,
    nodes: z.array(node),
    edges: z.array(edge),
    sent: z
      .object({
        waiting: z.int().describe("Events that wait for the receiver"),
        sent: z.int(),
        dropped: z.int().describe("Let go, as more waited than may"),
        refused: z.int().describe("The receiver said that they are wrong"),
        lastSent: instant.nullable(),
        trouble: z.string().nullable().describe("Why they wait; null: nothing is in the way"),
      })
      .nullable()
      .describe("OpenLineage events to OPENLINEAGE_URL; null: none are sent"),
  })
  .meta({ id: "Lineage" });

export type LineageAnswer = z.infer<typeof lineageAnswer>;
export type LineageNode = LineageAnswer["nodes"][number];
export type LineageEdge = LineageAnswer["edges"][number];
