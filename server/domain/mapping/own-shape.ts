import { type JsonReading, writeJson } from "../json";
import { type DecodeBounds, decodeJson } from "../decode-message";
import { type DecodedMessage, isStateOnly, readingsOf } from "../message";
import { type Accounts, createAccounts } from "./accounts";
import type { Delivery, Leaf, Mapped, MappedMessage, MappedReading, MappingRefusal, Part } from "./delivery";
import type { CommonLabels } from "./labels";
import { below, moreThanOnce, type Place } from "./paths";
import { count, type Run } from "./run";

const utf8 = new TextEncoder();

/** Doors judge times, by their own bounds. */
const ANY_TIME: DecodeBounds = { now: 0, futureToleranceMs: Infinity, retentionMs: null };

/**
 * Reads messages in Fieldwatch's own shape, one or a list of them in each part, by the rules of the telemetry route: they go on as they were sent,
 * and what is wrong with a single field is the worker's to tell.
 * @param common labels of all devices; what a message says of its device wins.
 */
export function compileOwnShape(
  explain: boolean,
  common: CommonLabels,
): (parts: readonly Part[], delivery: Delivery) => Mapped {
  return (parts, delivery) => {
    const accounts = explain ? createAccounts() : null;
    const run: Run = { delivery, accounts, drafts: [], open: new Map(), refused: [], ignored: new Map() };
    const messages: MappedMessage[] = [];
    const leaves: Leaf[] = [];
    for (const part of parts) {
      if ("error" in part) {
        run.refused.push({ path: part.path, reason: "unreadable", detail: part.error });
        leaves.push({ path: part.path, as: "refused", why: "unreadable" });
        continue;
      }
      const { json, tokens } = part.value;
      const root: Place = { parent: { "": json }, key: "", value: json };
      const told = (path: string) => [part.path, path].filter((text) => text !== "").join(": ");
      for (const place of elementsOf(root)) {
        const at = place === root ? "" : place.key;
        const under = (path: string) => told([at, path].filter((text) => text !== "").join("."));
        const repeated = repeatedIn(part.value, place === root ? [] : [place.key]);
        for (const [member, name] of takeOut(place.value, repeated))
          run.refused.push({ path: under(below(member, name)), reason: "badValue", detail: moreThanOnce(name) });
        const read = readMessage({ json: place.value, tokens, repeated }, common, under);
        if ("reason" in read) {
          run.refused.push({ path: told(at), ...read });
          accounts?.note(place.parent, place.key, "refused", read.reason);
        } else {
          messages.push(read.mapped);
          if (accounts !== null) note(accounts, place.value as object, read.message);
        }
      }
      if (Array.isArray(json) && json.length === 0) count(run, "noValues");
      leaves.push(...(accounts?.leavesOf(root, told) ?? []));
    }
    const { refused, ignored } = run;
    return { messages, refused, ignored, leaves: explain ? leaves : null };
  };
}

/** The members that come again within an element of what was read. */
function repeatedIn({ repeated = [] }: JsonReading, element: readonly string[]): readonly (readonly string[])[] {
  return repeated
    .filter((names) => element.every((name, i) => names[i] === name))
    .map((names) => names.slice(element.length));
}

/** Takes readings and states that come again out of a message: which value is meant can't be known, and written anew only the last would be there. @returns their members and names. */
function takeOut(message: unknown, repeated: readonly (readonly string[])[]): readonly (readonly [string, string])[] {
  return (["readings", "state"] as const).flatMap((member) => {
    const names = repeated.flatMap(([part, name, ...deeper]) =>
      part === member && name !== undefined && deeper.length === 0 ? [name] : [],
    );
    const fields = (message as Partial<Record<typeof member, Record<string, unknown>>> | null)?.[member];
    for (const name of names) delete fields?.[name];
    return [...new Set(names)].map((name) => [member, name] as const);
  });
}

function elementsOf(root: Place): readonly Place[] {
  const { value } = root;
  if (!Array.isArray(value)) return [root];
  return value.map((element: unknown, i) => ({ parent: value, key: String(i), value: element }));
}

function readMessage(
  reading: JsonReading,
  common: CommonLabels,
  told: (path: string) => string,
): { readonly mapped: MappedMessage; readonly message: DecodedMessage } | Pick<MappingRefusal, "reason" | "detail"> {
  const outcome = decodeJson(reading, ANY_TIME);
  if (!outcome.ok) return { reason: outcome.reason, detail: outcome.detail };
  const { message } = outcome;
  const { device, eventTime: time, texts, units, state = [] } = message;
  const isState = isStateOnly(message);
  const [member, fields] = isState ? ["state", state] : ["readings", [...readingsOf(message), ...texts]];
  const readings = fields.map(([metric, value]): MappedReading => {
    const unit = typeof value === "number" && !isState ? (units?.get(metric) ?? null) : null;
    return { metric, value, unit, path: told(below(member, metric)) };
  });
  const bytes = utf8.encode(write(reading, common));
  const isGoodbye = message.gone !== undefined;
  return {
    message,
    mapped: { bytes, device, time, timeFrom: "payload", isAmbiguous: false, isState, isGoodbye, readings },
  };
}

/** The message as it was sent; with the labels that all devices of its source have, where there are any. */
function write({ json, tokens }: JsonReading, common: CommonLabels): string {
  const { site, type, ...labels } = common;
  const said = json as { readonly site?: unknown; readonly type?: unknown; readonly labels?: unknown };
  const own = { ...(site !== undefined && { site }), ...(type !== undefined && { type }) };
  if (Object.keys(common).length === 0) return writeJson(json, tokens);
  const isSaid = (value: unknown) => value !== undefined && value !== null && value !== "";
  const added: Record<string, unknown> = { ...said };
  for (const [member, text] of Object.entries(own)) if (!isSaid(added[member])) added[member] = text;
  // What is no object is the worker's to refuse.
  if (Object.keys(labels).length > 0 && (!isSaid(said.labels) || isObject(said.labels)))
    added.labels = { ...labels, ...(said.labels as object | null | undefined) };
  const written = tokens.get(said);
  return writeJson(added, written === undefined ? tokens : new Map(tokens).set(added, written));
}

/** Notes what becomes of each member of a message that is taken. */
function note({ note: fate }: Accounts, message: object, { gone, refused, refusedLabels }: DecodedMessage): void {
  const members = message as Record<string, unknown>;
  for (const member of ["device", "time"] as const) fate(message, member, member, "");
  for (const member of ["site", "type", "labels"]) if (member in members) fate(message, member, "label", "");
  if (gone !== undefined) fate(message, "gone", "time", "");
  if ("units" in members) fate(message, "units", "unit", "");
  for (const { field, reason } of refusedLabels) fate(message, field, "refused", reason);
  const bad = new Map(refused.map(({ field, reason }) => [field, reason]));
  for (const member of ["readings", "state"]) {
    const fields = members[member];
    if (!isObject(fields)) continue;
    for (const [name, value] of Object.entries(fields)) {
      const reason = bad.get(name);
      if (value === null) fate(fields, name, "ignored", "null");
      else if (reason === undefined) fate(fields, name, "reading", name);
      else fate(fields, name, "refused", reason);
    }
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
