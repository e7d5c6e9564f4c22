import { z } from "zod";
import { text } from "@/server/contracts/common";
import { fromSegment } from "@/server/domain/segment";
import { ProblemError } from "../problem";

/** The path of a device. */
export const deviceParams = z.object({ id: nameInPath("The name the device reports under") });

/** A device or a metric named by a path, see `toSegment`. */
export function nameInPath(about: string) {
  return text(129)
    .min(1)
    .transform(fromSegment)
    .describe(`${about}. A "~" at its end is no part of it: ".~" stands for the name ".", which a path can't hold`);
}

export function noDevice(id: string): ProblemError {
  return new ProblemError("not-found", `There is no device ${JSON.stringify(id)}.`);
}

export function noMetric(name: string): ProblemError {
  return new ProblemError("not-found", `There is no metric ${JSON.stringify(name)}.`);
}
