import { selectorOf } from "@/server/domain/alerts/judged";
import type { DeviceFacts } from "@/server/domain/alerts/judged";
import type { Selector } from "@/server/domain/alerts/rule";
import { reason, type Reason, type Say } from "@/server/domain/alerts/why";
import { formatDuration } from "@/server/domain/duration";
import type { EpochMs } from "@/server/domain/terms";
import { type DevicePast, factsAt, type RulePast, versionAt } from "./past";

/** Says why a rule judged nothing of a device at a moment, by the clock here; null: it did. */
export function blockedAt(rule: RulePast, device: DevicePast, at: EpochMs, say: Say): Reason | null {
  const off = offAt(rule, at, say);
  if (off !== null) return off;
  const { spec } = versionAt(rule, at)!;
  return "of" in spec ? notSelected(spec.of, device, at, say) : null;
}

/** Says why a rule judged nothing at all at a moment, by the clock here; null: it did. */
export function offAt(rule: RulePast, at: EpochMs, say: Say): Reason | null {
  const version = versionAt(rule, at);
  if (version === null) {
    return reason("made-later", `The rule was made later, at ${say.time(rule.madeAt)}.`, {
      at: rule.madeAt,
      times: { made: rule.madeAt },
    });
  }
  return version.enabled ? null : whenOff(rule, at, say);
}

function whenOff({ versions }: RulePast, at: EpochMs, say: Say): Reason {
  const i = versions.findLastIndex((one) => one.at <= at);
  const on = versions.findLastIndex((one, j) => j < i && one.enabled);
  const since = versions[on + 1]!.at;
  const until = versions.find((one, j) => j > i && one.enabled)?.at ?? null;
  const sentence =
    until === null
      ? `The rule has been off since ${say.time(since)}.`
      : `The rule was off from ${say.time(since)} to ${say.time(until)}, for ${formatDuration(until - since)}.`;
  return reason("off", sentence, { at: since, times: { since, ...(until !== null && { until }) } });
}

/** The parts of a selector, each alone, in the order in which they are looked at. */
function partsOf(of: Selector): { readonly part: string; readonly key: string; readonly alone: Selector }[] {
  return [
    ...(of.sites ? [{ part: "site", key: "", alone: { sites: of.sites } }] : []),
    ...(of.types ? [{ part: "type", key: "", alone: { types: of.types } }] : []),
    ...(of.devices ? [{ part: "device", key: "", alone: { devices: of.devices } }] : []),
    ...Object.entries(of.labels ?? {}).map(([key, value]) => ({
      part: "label",
      key,
      alone: { labels: { [key]: value } },
    })),
    ...(of.without ? [{ part: "without", key: "", alone: { without: of.without } }] : []),
  ];
}

/** Says by which part of the rule's selector a device was left out, and since when; null: it was selected. */
function notSelected(of: Selector, device: DevicePast, at: EpochMs, say: Say): Reason | null {
  const missed = partsOf(of).find(({ alone }) => !selectorOf(alone)(factsAt(device, at)));
  if (!missed) return null;
  const { part, key, alone } = missed;
  const selects = selectorOf(alone);
  const changes = device.changes.filter((one) => one.part === part && one.key === key);
  const since = changes.find(({ until }) => until <= at && selects(factsAt(device, until - 1)))?.until ?? null;
  const until =
    changes.findLast((change) => change.until > at && selects(factsAt(device, change.until)))?.until ?? null;
  const facts = factsAt(device, at);
  const has = hasOf(part, key, facts);
  const wanted = wantedOf(part, key, of);
  const when = `${since === null ? "" : ` since ${say.time(since)}`}${until === null ? "" : ` until ${say.time(until)}`}`;
  return reason("not-selected", `The rule ${wanted}; ${has}${when}.`, {
    at: since,
    times: { ...(since !== null && { since }), ...(until !== null && { until }) },
    words: { part, ...(key && { key }), has: valueOf(part, key, facts) ?? "" },
  });
}

function valueOf(part: string, key: string, { name, site, type, labels }: DeviceFacts): string | null {
  if (part === "site") return site;
  if (part === "type") return type;
  return part === "label" ? (labels[key] ?? null) : name;
}

function hasOf(part: string, key: string, facts: DeviceFacts): string {
  const { name } = facts;
  const value = valueOf(part, key, facts);
  switch (part) {
    case "site":
      return value === null ? `${name} has no site` : `${name} is at ${value}`;
    case "type":
      return value === null ? `${name} has no type` : `${name} is of type ${value}`;
    case "label":
      return value === null ? `${name} has no label ${key}` : `${name} has ${key} ${value}`;
    case "device":
      return `${name} isn’t one of them`;
    default:
      return `${name} is one of them`;
  }
}

function wantedOf(part: string, key: string, { sites, types, devices, labels, without }: Selector): string {
  switch (part) {
    case "site":
      return `is for site ${sites!.join(", ")}`;
    case "type":
      return `is for type ${types!.join(", ")}`;
    case "label":
      return `is for devices with ${key} ${labels![key]}`;
    case "device":
      return `is for ${devices!.join(", ")}`;
    default:
      return `leaves out ${without!.join(", ")}`;
  }
}
