import { z } from "zod";
import { text } from "@/server/contracts/common";
import { ProblemError } from "../problem";

/** The path of a device. */
export const deviceParams = z.object({ id: text(128).min(1).describe("The name the device reports under") });

export function noDevice(id: string): ProblemError {
  return new ProblemError("not-found", `There is no device ${JSON.stringify(id)}.`);
}

export function noMetric(name: string): ProblemError {
  return new ProblemError("not-found", `There is no metric ${JSON.stringify(name)}.`);
}
