import type { FoundDevice } from "./devices";
import type { Mapping } from "./mapping";
import { writeTail } from "./message-text";
import type { Place } from "./paths";
import { compileTemplate, type Scope, type Template } from "./templates";

/** What a message says of its device, as {@link writeTail} does. */
interface SaidLabels {
  readonly tail: string;
  readonly problems: readonly (readonly [key: string, problem: string])[];
  places(): readonly Place[];
}

/** Reads a mapping's labels. A device whose name isn't the one its sender gave it keeps that as its label `name`. */
export function compileLabels(labels: Mapping["labels"]): {
  readonly read: (scope: Scope, device: FoundDevice) => SaidLabels;
  readonly templates: readonly Template[];
} {
  const compiled = Object.entries(labels).map(([key, template]) => ({ key, template: compileTemplate(template) }));
  const hasName = Object.hasOwn(labels, "name");
  const nothing: SaidLabels = { tail: "", problems: [], places: () => [] };
  return {
    templates: compiled.map(({ template }) => template),
    read(scope, { name, text }) {
      const isRenamed = !hasName && name !== text;
      if (compiled.length === 0 && !isRenamed) return nothing;
      const said = compiled.flatMap(({ key, template }) => {
        const filled = template.fill(scope);
        return filled === null ? [] : [[key, filled] as const];
      });
      if (isRenamed) said.push(["name", text]);
      return { ...writeTail(said), places: () => compiled.flatMap(({ template }) => template.places(scope)) };
    },
  };
}
