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

const MOST_TAILS = 5000;

/** Labels of all devices of a source, by key. */
export type CommonLabels = Readonly<Record<string, string>>;

/**
 * Reads a mapping's labels, and adds those that all devices have where it says nothing. A device whose name isn't the one its sender gave it keeps
 * that as its label `name`.
 */
export function compileLabels(
  labels: Mapping["labels"],
  common: CommonLabels,
): {
  readonly read: (scope: Scope, device: FoundDevice) => SaidLabels;
  readonly templates: readonly Template[];
} {
  const compiled = Object.entries(labels).map(([key, template]) => ({ key, template: compileTemplate(template) }));
  const hasName = Object.hasOwn(labels, "name") || Object.hasOwn(common, "name");
  const ofAll = Object.entries(common);
  const alone: SaidLabels = { ...writeTail(ofAll), places: () => [] };
  /** By the texts, as a device says the same again and again. */
  const tails = new Map<string, ReturnType<typeof writeTail>>();
  return {
    templates: compiled.map(({ template }) => template),
    read(scope, { name, text }) {
      const isRenamed = !hasName && name !== text;
      if (compiled.length === 0 && !isRenamed) return alone;
      const said: (readonly [key: string, text: string])[] = [];
      let texts = "";
      for (const { key, template } of compiled) {
        const filled = template.fill(scope);
        if (filled !== null) said.push([key, filled]);
        texts += filled === null ? "-" : `${filled.length}:${filled}`;
      }
      if (isRenamed) {
        said.push(["name", text]);
        texts += text;
      }
      let written = tails.get(texts);
      if (written === undefined) {
        if (tails.size >= MOST_TAILS) tails.clear();
        tails.set(texts, (written = writeTail([...new Map([...ofAll, ...said])])));
      }
      const { tail, problems } = written;
      return { tail, problems, places: () => compiled.flatMap(({ template }) => template.places(scope)) };
    },
  };
}
