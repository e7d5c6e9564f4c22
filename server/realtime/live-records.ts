import type { LiveDevice } from "@/server/contracts/live";

/** Returns the worker that made a record, and its number; null if the record doesn't begin with them. Much cheaper than reading it all. */
export function readLiveHead(value: Uint8Array): { worker: string; seq: number } | null {
  const start = Buffer.from(value.buffer, value.byteOffset, Math.min(value.byteLength, 512)).toString("latin1");
  const match = /^\{"worker":"([^"]*)","seq":(\d+)/.exec(start);
  return match ? { worker: match[1]!, seq: Number(match[2]) } : null;
}

/** Reads a record of the live topic: what a worker committed, device by device. One that can't be read holds nothing. */
export function readLiveRecord(value: Uint8Array): readonly LiveDevice[] {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString());
  } catch {
    return [];
  }
  const list = Array.isArray(json) ? json : (json as { devices?: unknown } | null)?.devices;
  return Array.isArray(list) ? list.filter(isLiveDevice) : [];
}

/** Workers of another version may write another shape; the fields a frame can't do without are looked at. */
function isLiveDevice(value: unknown): value is LiveDevice {
  if (typeof value !== "object" || value === null) return false;
  const { id, lastSeen, messages, points, texts } = value as Record<string, unknown>;
  const isRecord = (field: unknown) => typeof field === "object" && field !== null;
  return (
    typeof id === "string" &&
    typeof lastSeen === "number" &&
    typeof messages === "number" &&
    isRecord(points) &&
    isRecord(texts)
  );
}
