import { createHash } from "node:crypto";
import type { PoolClient } from "pg";
import { DEVICE_LABELS } from "@/server/domain/device-labels";
import type { CommitBatch } from "@/server/ports/commit-batch";

type Labels = ReadonlyMap<string, string>;

/**
 * Keeps the labels that the batch's messages say of their devices. Most say what they always say, which the rows of the devices, locked by the
 * transaction, tell without a query. A person's word stays; a key that isn't said any more stays, too.
 */
export async function addLabels(tx: PoolClient, { messages, devices }: CommitBatch): Promise<void> {
  const said = new Map<number, Labels>();
  for (const { deviceId, message } of messages) {
    if (message.labels === undefined) continue;
    const before = said.get(deviceId);
    // Messages that say the same share one object, mostly.
    if (before === undefined) said.set(deviceId, message.labels);
    else if (before !== message.labels) said.set(deviceId, new Map([...before, ...message.labels]));
  }
  const fresh: SaidLabels[] = [];
  for (const [deviceId, labels] of said) {
    const tag = tagOf(labels);
    if (devices.get(deviceId)!.saidLabels !== tag) fresh.push({ deviceId, labels, tag });
  }
  if (fresh.length > 0) await writeLabels(tx, fresh);
}

interface SaidLabels {
  readonly deviceId: number;
  readonly labels: Labels;
  readonly tag: string;
}

async function writeLabels(tx: PoolClient, fresh: readonly SaidLabels[]): Promise<void> {
  const ids = fresh.map(({ deviceId }) => deviceId);
  const { rows } = await tx.query<{ device: number; key: string; said: string | null }>(
    `SELECT device_id AS device, key, said FROM device_label WHERE device_id = ANY ($1::integer[])`,
    [ids],
  );
  const known = new Map<number, Map<string, string | null>>(ids.map((id) => [id, new Map()]));
  for (const { device, key, said } of rows) known.get(device)!.set(key, said);
  const changed: [device: number, key: string, value: string][] = [];
  for (const { deviceId, labels } of fresh) {
    const own = known.get(deviceId)!;
    for (const [key, value] of labels) {
      if (own.get(key) === value || (!own.has(key) && own.size >= DEVICE_LABELS.most)) continue;
      own.set(key, value);
      changed.push([deviceId, key, value]);
    }
  }
  if (changed.length > 0)
    await tx.query(
      `INSERT INTO device_label (device_id, key, value, by_person, said)
       SELECT device, key, value, false, value FROM unnest($1::integer[], $2::text[], $3::text[]) AS l (device, key, value)
       ON CONFLICT (device_id, key) DO UPDATE SET said = excluded.said,
         value = CASE WHEN device_label.by_person THEN device_label.value ELSE excluded.value END`,
      [changed.map(([device]) => device), changed.map(([, key]) => key), changed.map(([, , value]) => value)],
    );
  await tx.query(
    `UPDATE device d SET said_labels = l.tag FROM unnest($1::integer[], $2::text[]) AS l (id, tag) WHERE d.id = l.id`,
    [ids, fresh.map(({ tag }) => tag)],
  );
}

/** Fingerprints of labels, as long as somebody has the labels. */
const tags = new WeakMap<Labels, string>();

/** The same text for the same labels in the same order, and another one for others. */
function tagOf(labels: Labels): string {
  let tag = tags.get(labels);
  if (tag === undefined) {
    tag = createHash("sha256")
      .update(JSON.stringify([...labels]))
      .digest("base64url")
      .slice(0, 22);
    tags.set(labels, tag);
  }
  return tag;
}
