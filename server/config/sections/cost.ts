import { z } from "zod";
import { variable } from "../variables";

/** What the page Cost reckons with. */
export const cost = {
  PRICES_FILE: variable(
    z.string().min(1).optional(),
    "File of prices that the page Cost reckons with, read each time it is asked for; docs/cost.md has its form. Not set: the examples that come along.",
    "/etc/fieldwatch/prices.json",
  ),
} as const;
