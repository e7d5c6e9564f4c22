import { z } from "zod";
import { variable } from "../variables";

/** What is told of the data to whoever governs it. */
export const lineage = {
  DATA_OWNER: variable(
    z.string().trim().min(1).max(120).optional(),
    "Who answers for the data, as the page Lineage and the data contract name them: a team, with where to reach it.",
    "Plant data <plant-data@example.com>",
  ),
} as const;
