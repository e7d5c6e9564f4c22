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

/** Finds the device by the first template that is filled in whole; null if none is. */
export function compileDevice(templates: readonly string[]): {
  readonly find: (scope: Scope) => FoundDevice | null;
  readonly templates: readonly Template[];
} {
  const compiled = templates.map(compileTemplate);
  return {
    templates: compiled,
    find(scope) {
      for (const template of compiled) {
        const text = template.fill(scope)?.trim();
        if (text) return { name: legalName(text), text, places: () => template.places(scope) };
      }
      return null;
    },
  };
}
