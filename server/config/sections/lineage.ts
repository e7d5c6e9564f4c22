import { z } from "zod";
import { variable } from "../variables";

/** What is told of the data to whoever governs it. */
export const lineage = {
  DATA_OWNER: variable(
    z.string().trim().min(1).max(120).optional(),
    "Who answers for the data, as the page Lineage and the data contract name them: a team, with where to reach it.",
    "Plant data <plant-data@example.com>",
  ),
  OPENLINEAGE_URL: variable(
    z.url({ protocol: /^https?$/, error: "must be an http:// or https:// address" }).optional(),
    "Where OpenLineage events of what ran are sent to; `/api/v1/lineage` is added, as Marquez has it. Not set: none are made.",
    "http://127.0.0.1:5000",
  ),
  OPENLINEAGE_API_KEY: variable(
    z.string().min(1).optional(),
    "Key that is sent with them, as a bearer token.",
    "secret",
    { secret: true },
  ),
  OPENLINEAGE_NAMESPACE: variable(
    z.string().trim().min(1).max(120).default("fieldwatch"),
    "Name of this installation among others there: the namespace of its jobs and sources.",
    "plant-7",
  ),
} as const;
