import { ownMember } from "@/server/domain/own-member";
import type { CurrentValue } from "@/server/contracts/common";
import type { DevicesAnswer, DeviceView } from "@/server/contracts/devices";
import type { HealthAnswer } from "@/server/contracts/health";
import type { FrameData, LiveDevice } from "@/server/contracts/live";
import type { PipelineAnswer } from "@/server/contracts/pipeline";

/*
 * What a frame does to each snapshot. Pure; what a frame doesn't change keeps its identity, so that only what changed is
 * drawn again. Older event times never overwrite newer ones, in whatever order frames come.
 */

/** The pipeline, as of the newest of the two. */
export function applyToPipeline(state: PipelineAnswer, data: FrameData): PipelineAnswer {
  return data.kind === "overview" && data.pipeline.time >= state.time ? data.pipeline : state;
}

/** Health in full from the health room, the verdict alone from the overview room. */
export function applyToHealth(state: HealthAnswer, data: FrameData): HealthAnswer {
  if (data.kind === "health") return data.health.time >= state.time ? data.health : state;
  if (data.kind !== "overview" || data.pipeline.time < state.time) return state;
  const { status, verdict } = data.verdict;
  return status === state.status && verdict === state.verdict ? state : { ...state, ...data.verdict };
}

/** A page of devices: values change in place, rows neither move nor appear. */
export function applyToDevices(state: DevicesAnswer, data: FrameData): DevicesAnswer {
  if (data.kind !== "devices" || data.devices.length === 0) return state;
  const news = new Map(data.devices.map((device) => [device.id, device]));
  let changed = false;
  const items = state.items.map((item) => {
    const live = news.get(item.id);
    const next = live ? applyLive(item, live) : item;
    changed ||= next !== item;
    return next;
  });
  return changed ? { ...state, items } : state;
}

/** One device. */
export function applyToDevice(state: DeviceView, data: FrameData): DeviceView {
  if (data.kind !== "devices") return state;
  return data.devices.filter((device) => device.id === state.id).reduce(applyLive, state);
}

function applyLive(device: DeviceView, live: LiveDevice): DeviceView {
  const values = newerValues(device.values, live);
  // A frame no newer than the snapshot is already counted in it.
  const heard = live.lastSeen > (device.lastSeen === null ? 0 : Date.parse(device.lastSeen));
  if (!heard && values === device.values) return device;
  const lastEvent = latestEventTime(live);
  const later = lastEvent !== null && (device.lastEventTime === null || lastEvent > Date.parse(device.lastEventTime));
  return {
    ...device,
    values,
    ...(heard
      ? { state: "live", goneAt: null, lastSeen: instantOf(live.lastSeen), messages: device.messages + live.messages }
      : {}),
    // One that sends after it was retired is back, as it is at the server.
    ...(device.retiredAt !== null && live.lastSeen > Date.parse(device.retiredAt)
      ? { retiredAt: null, returnedAt: instantOf(live.lastSeen) }
      : {}),
    ...(later ? { lastEventTime: instantOf(lastEvent) } : {}),
  };
}

/** True if a goodbye came with a frame, about which only the server knows whether it is the last of its device. */
export function hasGoodbye(data: FrameData): boolean {
  return data.kind === "devices" && data.devices.some(({ gone }) => gone);
}

function newerValues(values: DeviceView["values"], live: LiveDevice): DeviceView["values"] {
  let next: Record<string, CurrentValue> | null = null;
  const offer = (name: string, time: number, value: CurrentValue["value"]) => {
    const known = ownMember(values, name);
    if (known && Date.parse(known.time) >= time) return;
    next ??= { ...values };
    next[name] = { value, time: instantOf(time) };
  };
  for (const [metric, points] of Object.entries(live.points)) {
    const newest = points.at(-1);
    if (!newest) continue;
    // Booleans travel as 0 and 1; the value known so far tells which it is. A number may follow a boolean.
    const isBoolean = typeof ownMember(values, metric)?.value === "boolean" && (newest[1] === 0 || newest[1] === 1);
    offer(metric, newest[0], isBoolean ? newest[1] === 1 : newest[1]);
  }
  for (const [field, [time, text]] of Object.entries(live.texts)) offer(field, time, text);
  return next ?? values;
}

function latestEventTime(live: LiveDevice): number | null {
  let latest: number | null = null;
  for (const points of Object.values(live.points)) {
    const time = points.at(-1)?.[0];
    if (time !== undefined && (latest === null || time > latest)) latest = time;
  }
  for (const [time] of Object.values(live.texts)) if (latest === null || time > latest) latest = time;
  return latest;
}

function instantOf(ms: number): string {
  return new Date(ms).toISOString();
}
