import { z } from "zod";
import { ProblemError } from "../problem";

/** The path of a device. */
export const deviceParams = z.object({ id: z.string().min(1).max(128).describe("The name the device reports under") });

export function noDevice(id: string): ProblemError {
  return new ProblemError("not-found", `There is no device ${JSON.stringify(id)}.`);
}

export function noMetric(name: string): ProblemError {
  return new ProblemError("not-found", `There is no metric ${JSON.stringify(name)}.`);
}
