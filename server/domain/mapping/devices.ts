import { compileConditions } from "./conditions";
import type { Mapping } from "./mapping";
import { legalName } from "./names";
import type { Place } from "./paths";
import { compileTemplate, type Scope, type Template } from "./templates";

/** A device's name, and what its sender calls it. */
export interface FoundDevice {
  /** Null if no legal name can be made of the text. */
  readonly name: string | null;
  readonly text: string;
  places(): readonly Place[];
}

/** Finds the device by the first template that is filled in whole; else a text says why there is none. */
export function compileDevice(
  candidates: Mapping["device"],
  names: Mapping["names"],
): {
  readonly find: (scope: Scope) => FoundDevice | string;
  readonly templates: readonly Template[];
} {
  const compiled = candidates.map((candidate) =>
    typeof candidate === "string"
      ? { template: compileTemplate(candidate), holds: null }
      : {
          template: "name" in candidate ? compileTemplate(candidate.name) : candidate.none,
          holds: compileConditions(candidate.when),
        },
  );
  const templates = compiled.flatMap(({ template }) => (typeof template === "string" ? [] : [template]));
  const written = candidates.flatMap((candidate) =>
    typeof candidate === "string" ? [candidate] : "name" in candidate ? [candidate.name] : [],
  );
  const missing = `there is no ${written.join(", nor ")}`;
  return {
    templates,
    find(scope) {
      for (const { template, holds } of compiled) {
        if (holds !== null && !holds(scope)) continue;
        if (typeof template === "string") return template;
        const text = template.fill(scope)?.trim();
        if (text) return { name: legalName(text, names), text, places: () => template.places(scope) };
      }
      return missing;
    },
  };
}
