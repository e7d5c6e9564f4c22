import { repeatedPlaces } from "../json";
import { createAccounts } from "./accounts";
import { compileConditions } from "./conditions";
import type { Delivery, IgnoreRule, Leaf, Mapped, MappingRefusal, Part, WholePart } from "./delivery";
import { compileDevice } from "./devices";
import { compileElements, type Element } from "./elements";
import { compileFields } from "./fields";
import { compileFlatten } from "./flatten";
import { type CommonLabels, compileLabels } from "./labels";
import { type Mapping, OWN_SHAPE } from "./mapping";
import { draftOf, type MessageHead, writeMessage } from "./message-text";
import { compileOwnShape } from "./own-shape";
import { follow, moreThanOnce, nameTwice, parsePath, type Place, writePath } from "./paths";
import { count, type Run } from "./run";
import { createSink } from "./sink";
import type { Scope, Template } from "./templates";
import { compileTimes, timePlaces } from "./times";

/**
 * Makes a mapping's function: what a decoder made of a delivery → messages, and what became of all else. It never throws, and takes time by the size of
 * the payload. It remembers names it has met, and the last times in repeated hours, so one is made for many deliveries.
 * @param options `explain` asks for the fate of each leaf; the messages are the same. `labels` are for all devices; what the mapping says of one wins.
 */
export function compileMapping(
  mapping: Mapping,
  { explain = false, labels: common = {} }: { readonly explain?: boolean; readonly labels?: CommonLabels } = {},
): (parts: readonly Part[], delivery: Delivery) => Mapped {
  if (mapping.decode === OWN_SHAPE) return compileOwnShape(explain, common);
  const elementsOf = compileElements(mapping.each);
  const isData = compileConditions(mapping.when);
  const isGoodbye = mapping.gone === null ? () => false : compileConditions(mapping.gone);
  const device = compileDevice(mapping.device, mapping.names === "headings" ? "short" : mapping.names);
  const readTime = compileTimes(mapping.time);
  const labels = compileLabels(mapping.labels, common);
  const fieldOf = compileFields(mapping);
  const claims = claimsOf(mapping, [...device.templates, ...labels.templates]);
  const rules = mapping.readings.map((rule) => compileFlatten(rule, fieldOf, claims));
  const sinkOf = createSink(mapping);
  const unitPaths = mapping.units.flatMap(({ from }) => ("path" in from ? [parsePath(from.path)] : []));

  function mapElement(run: Run, scope: Scope, { place, path }: Element, told: (path: string) => string): void {
    const refuse = (reason: MappingRefusal["reason"], detail: string): void => {
      run.refused.push({ path: told(path), reason, detail });
      run.accounts?.note(place.parent, place.key, "refused", reason);
    };
    const note = (places: readonly Place[], as: Leaf["as"]) =>
      places.forEach(({ parent, key }) => run.accounts?.note(parent, key, as, ""));

    if (!isData(scope)) return leaveOut(run, "when", place);
    const found = device.find(scope);
    if (typeof found === "string") return refuse("noDevice", found);
    const twice = scope.repeated === null ? null : nameTwice(found.places(), scope.repeated);
    if (twice !== null) return refuse("badDevice", moreThanOnce(twice));
    if (found.name === null)
      return refuse("badDevice", `${JSON.stringify(found.text.slice(0, 80))} cannot name a device`);
    if (run.accounts) note(found.places(), "device");

    const { arrived, beside } = run.delivery;
    const time = readTime(scope, { arrived, device: found.name });
    const timeTwice = time === null ? null : nameTwice(time.places, scope.repeated);
    if (timeTwice !== null) return refuse("badTime", moreThanOnce(timeTwice));
    if (time !== null && "problem" in time)
      return refuse("badTime", `${JSON.stringify(time.written.slice(0, 80))} ${time.problem}`);
    if (time === null && mapping.withoutTime === "refuse")
      return refuse("noTime", "there is no time, and the mapping doesn't take that of its arrival");
    if (run.accounts && time !== null) note(time.places, "time");

    const said = labels.read(scope, found);
    if (run.accounts) note(said.places(), "label");
    for (const [key, problem] of said.problems)
      run.refused.push({ path: told(path), reason: "badValue", detail: `the label ${key} ${problem}` });

    const head: MessageHead = {
      device: found.name,
      time: time?.time ?? arrived,
      timeFrom: time === null ? "arrival" : "payload",
      isAmbiguous: time?.ambiguous ?? false,
      isState: time === null && beside.retained,
      isGoodbye: isGoodbye(scope),
      tail: said.tail,
    };
    if (head.isGoodbye) {
      // Of an age that nobody knows: the device may have been heard since.
      if (head.isState) return leaveOut(run, "noValues", place);
      const key = `${head.device} ${head.time} goodbye`;
      if (run.open.has(key)) return;
      const draft = draftOf(head);
      run.open.set(key, draft);
      run.drafts.push(draft);
      return;
    }
    let used: readonly Place[] | null = null;
    const isUsed = ({ parent, key }: Place) => {
      const units = () => unitPaths.flatMap((path) => follow(place, path) ?? []);
      used ??= [...found.places(), ...(time?.places ?? []), ...said.places(), ...units()];
      return used.some((one) => one.parent === parent && one.key === key);
    };
    const sink = sinkOf(run, scope, head, place, told, isUsed);
    let hasRoot = false;
    for (const flatten of rules) if (flatten(scope, path, sink)) hasRoot = true;
    if (!hasRoot) {
      const roots = mapping.readings.map(({ root }) => (root === "" ? "value" : root));
      return refuse("noReadings", `there is no ${roots.join(", nor ")}`);
    }
    if (sink.end() === 0) count(run, "noValues");
  }

  function mapPart(run: Run, part: WholePart): Leaf[] {
    const { json, tokens } = part.value;
    const repeated = repeatedPlaces(part.value);
    const holder = { "": json };
    const root: Place = { parent: holder, key: "", value: json };
    const told = part.path === "" ? same : (path: string) => (path === "" ? part.path : `${part.path}: ${path}`);
    const scopeOf = (element: Place, key: string): Scope => ({
      delivery: run.delivery,
      element,
      key,
      envelope: root,
      part: part.beside,
      tokens,
      repeated,
    });
    const elements = elementsOf(root);
    if (typeof elements !== "string") {
      for (const element of elements) mapElement(run, scopeOf(element.place, element.key), element, told);
      if (elements.length === 0) count(run, "noValues");
    } else if (!isData(scopeOf(root, ""))) leaveOut(run, "when", root);
    else {
      run.refused.push({ path: told(""), reason: "noReadings", detail: elements });
      run.accounts?.note(holder, "", "refused", "noReadings");
    }
    return run.accounts?.leavesOf(root, told) ?? [];
  }

  return (parts, delivery) => {
    const run: Run = {
      delivery,
      accounts: explain ? createAccounts() : null,
      drafts: [],
      open: new Map(),
      refused: [],
      ignored: new Map(),
    };
    const leaves: Leaf[] = [];
    for (const part of parts) {
      if ("error" in part) {
        run.refused.push({ path: part.path, reason: "unreadable", detail: part.error });
        leaves.push({ path: part.path, as: "refused", why: "unreadable" });
      } else leaves.push(...mapPart(run, part));
    }
    if (parts.length === 0) count(run, "noValues");
    const { refused, ignored, drafts } = run;
    return { messages: drafts.map(writeMessage), refused, ignored, leaves: explain ? leaves : null };
  };
}

/** The paths from an element at which a mapping names something else than readings. */
function claimsOf(mapping: Mapping, others: readonly Template[]): ReadonlySet<string> {
  const times = timePlaces(mapping.time);
  const templates = [...others, ...times.templates];
  const units = mapping.units.flatMap(({ from }) => ("path" in from ? [parsePath(from.path)] : []));
  const paths = [...templates.flatMap((template) => template.paths), ...times.paths, ...units];
  // Where a part is one element, its envelope is the element.
  if (mapping.each === null) paths.push(...templates.flatMap((template) => template.outerPaths));
  return new Set(paths.map(writePath));
}

function same(path: string): string {
  return path;
}

/** Ignores a part or an element whole. */
function leaveOut(run: Run, rule: IgnoreRule, { parent, key }: Place): void {
  count(run, rule);
  run.accounts?.note(parent, key, "ignored", rule);
}
