import { z } from "zod";
import { text } from "@/server/contracts/common";
import { ProblemError } from "../problem";

/** The path of a dead letter. */
export const letterParams = z.object({ id: text(2048).min(1).describe("The dead letter's id") });

/** The path of a job. */
export const jobParams = z.object({ id: text(64).min(1).describe("The job's id") });

/**
 * A dead letter's id as addresses have it. Inside, its parts are set apart by slashes, which many proxies refuse within a
 * path even when they are encoded: here by tildes.
 */
export function publicId(id: string): string {
  return id.replace(/[!~/]/g, (mark) => (mark === "/" ? "~" : mark === "~" ? "!1" : "!0"));
}

/** Gives back what {@link publicId} was given. */
export function innerId(id: string): string {
  return id.replace(/!0|!1|~/g, (mark) => (mark === "~" ? "/" : mark === "!1" ? "~" : "!"));
}

export function noLetter(id: string): ProblemError {
  return new ProblemError("not-found", `There is no dead letter ${JSON.stringify(id)}.`);
}

export function noJob(id: string): ProblemError {
  return new ProblemError("not-found", `There is no job ${JSON.stringify(id)}.`);
}
