import { InspectionError } from "@/server/ports/inspection";
import { type EngineNames, type Remedy, troubleWords } from "@/server/ports/trouble-words";
import { type Finding, shortly } from "./probe";

/** Cause and fix of an error of an inspection. */
export function remedy(error: Error, names: EngineNames): Remedy {
  if (error instanceof InspectionError) return troubleWords(error, names);
  return { cause: shortly(error), fix: `Wait; if it stays so, read ${names.engine}'s log.` };
}

/** Makes the finding of probes that can't be asked because of an earlier step. */
export function dependentOn(group: string, names: EngineNames): (error: Error) => Finding {
  return (error) => ({
    status: "unknown",
    summary: "Cannot be asked now.",
    cause: remedy(error, names).cause,
    fix: `First mend ${group}: see its failing probes.`,
  });
}
