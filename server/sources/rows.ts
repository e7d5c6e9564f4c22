import type { Pool, PoolClient } from "pg";
import { isSealed, type KeptSecrets } from "@/server/config/kept-secrets";
import type { Signature, Sites } from "@/server/domain/access";
import { type Mapping, mappingSchema } from "@/server/domain/mapping/mapping";
import type { AnswerPolicy, SourceDoor, SourceKind } from "@/server/domain/source";
import type { EpochMs } from "@/server/domain/terms";

type Db = Pool | PoolClient;

/** A source as its row says. */
export interface SourceRow {
  readonly id: number;
  readonly name: string;
  readonly title: string | null;
  readonly kind: SourceKind;
  readonly answer: AnswerPolicy;
  readonly site: { readonly id: number; readonly name: string } | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly messagesPerSecond: number | null;
  readonly bytesPerSecond: number | null;
  readonly enabled: boolean;
  readonly door: SourceDoor;
  /** As it is kept: encrypted, unless a version before has written it. */
  readonly doorSecret: string | null;
  readonly mappingVersion: number;
  readonly revision: number;
  readonly createdAt: EpochMs;
  readonly updatedAt: EpochMs;
}

/** What people say of a source; its name and kind stay. */
export interface SourceSettings extends Pick<
  SourceRow,
  "title" | "answer" | "labels" | "messagesPerSecond" | "bytesPerSecond" | "enabled" | "door" | "doorSecret"
> {
  readonly siteId: number | null;
}

const COLUMNS = `s.id, s.name, s.title, s.kind, s.answer,
  CASE WHEN t.id IS NOT NULL THEN json_build_object('id', t.id, 'name', t.name) END AS site,
  s.labels, s.messages_per_second AS "messagesPerSecond", s.bytes_per_second AS "bytesPerSecond", s.enabled, s.door,
  s.door_secret AS "doorSecret", s.mapping_version AS "mappingVersion", s.revision,
  (extract(epoch FROM s.created_at) * 1000)::float8 AS "createdAt", (extract(epoch FROM s.updated_at) * 1000)::float8 AS "updatedAt"`;
const FROM = `FROM source s LEFT JOIN site t ON t.id = s.site_id`;

/** The sources of these sites, by name; those of no site only where all are meant. */
export async function listSources(db: Db, sites: Sites): Promise<SourceRow[]> {
  const [where, parameters] = sites === "all" ? ["", []] : [`WHERE s.site_id = ANY ($1::integer[])`, [sites]];
  const { rows } = await db.query<SourceRow>(
    `SELECT ${COLUMNS} ${FROM} ${where} ORDER BY s.name COLLATE "C"`,
    parameters,
  );
  return rows;
}

/** The source of this name; null if there is none. With `lock`, nobody changes it until the transaction ends. */
export async function findSource(db: Db, name: string, lock = false): Promise<SourceRow | null> {
  const { rows } = await db.query<SourceRow>(
    `SELECT ${COLUMNS} ${FROM} WHERE s.name = $1 ${lock ? "FOR UPDATE OF s" : ""}`,
    [name],
  );
  return rows[0] ?? null;
}

/** Adds a source, with the first version of its mapping. @returns its number, or null when the name is taken. */
export async function insertSource(
  tx: PoolClient,
  name: string,
  kind: SourceKind,
  settings: SourceSettings,
  mapping: Mapping,
  by: Signature,
): Promise<number | null> {
  const { rows } = await tx.query<{ id: number }>(
    `INSERT INTO source (name, kind, title, answer, site_id, labels, messages_per_second, bytes_per_second, enabled, door, door_secret)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (name) DO NOTHING RETURNING id`,
    [name, kind, ...parametersOf(settings)],
  );
  if (rows[0] === undefined) return null;
  await insertMapping(tx, rows[0].id, 1, mapping, null, by);
  return rows[0].id;
}

/** Writes what people say of a source anew. */
export async function updateSource(tx: PoolClient, id: number, settings: SourceSettings): Promise<void> {
  await tx.query(
    `UPDATE source SET title = $2, answer = $3, site_id = $4, labels = $5, messages_per_second = $6, bytes_per_second = $7, enabled = $8,
       door = $9, door_secret = $10, revision = revision + 1, updated_at = now()
     WHERE id = $1`,
    [id, ...parametersOf(settings)],
  );
}

function parametersOf(settings: SourceSettings): unknown[] {
  const { title, answer, siteId, labels, messagesPerSecond, bytesPerSecond, enabled, door, doorSecret } = settings;
  return [
    ...[title, answer, siteId, JSON.stringify(labels), messagesPerSecond, bytesPerSecond, enabled],
    ...[JSON.stringify(door), doorSecret],
  ];
}

/** Whose a source's secret is: it can be opened for no other. */
export function secretHolder(name: string): string {
  return `source ${name}`;
}

/** Encrypts the secrets that are kept in the clear, as versions before did. @returns how many there were. */
export async function sealSecrets(db: Db, secrets: KeptSecrets): Promise<number> {
  const { rows } = await db.query<{ name: string; secret: string }>(
    `SELECT name, door_secret AS secret FROM source WHERE door_secret IS NOT NULL`,
  );
  const plain = rows.filter(({ secret }) => !isSealed(secret));
  for (const { name, secret } of plain)
    await db.query(`UPDATE source SET door_secret = $3 WHERE name = $1 AND door_secret = $2`, [
      name,
      secret,
      secrets.seal(secret, secretHolder(name)),
    ]);
  return plain.length;
}

/** Removes a source with its keys, mappings, counts and samples; dead letters keep its name. */
export async function deleteSource(tx: PoolClient, id: number): Promise<void> {
  await tx.query(`DELETE FROM source WHERE id = $1`, [id]);
}

/** A version of a source's mapping. */
export interface MappingRow {
  readonly version: number;
  readonly mapping: Mapping;
  readonly note: string | null;
  readonly madeBy: string;
  readonly createdAt: EpochMs;
}

const MAPPING = `SELECT m.source_id AS "sourceId", m.version, m.mapping, m.note, coalesce(a.name, m.made_by) AS "madeBy",
  (extract(epoch FROM m.created_at) * 1000)::float8 AS "createdAt"
  FROM source_mapping m LEFT JOIN account a ON a.id = m.made_by_account`;

/** Versions of a source's mapping, newest first. */
export async function listMappings(db: Db, sourceId: number, limit: number): Promise<MappingRow[]> {
  const { rows } = await db.query<MappingRow>(`${MAPPING} WHERE m.source_id = $1 ORDER BY m.version DESC LIMIT $2`, [
    sourceId,
    limit,
  ]);
  return rows.map((row) => ({ ...row, mapping: whole(row.mapping) }));
}

/** The current mapping of every source that is enabled, by the source's number. */
export async function currentMappings(db: Db): Promise<ReadonlyMap<number, Mapping>> {
  const { rows } = await db.query<{ id: number; mapping: Mapping }>(
    `SELECT s.id, m.mapping FROM source s JOIN source_mapping m ON m.source_id = s.id AND m.version = s.mapping_version WHERE s.enabled`,
  );
  return new Map(rows.map(({ id, mapping }) => [id, whole(mapping)]));
}

/** A mapping as it is stored, with what it leaves out: a version before, or a migration, may not have known all of it. */
function whole(stored: Mapping): Mapping {
  return mappingSchema.safeParse(stored).data ?? stored;
}

/** Makes a new version of a source's mapping the current one. @returns its version. */
export async function saveMapping(
  tx: PoolClient,
  source: Pick<SourceRow, "id" | "mappingVersion">,
  mapping: Mapping,
  note: string | null,
  by: Signature,
): Promise<number> {
  const version = source.mappingVersion + 1;
  await insertMapping(tx, source.id, version, mapping, note, by);
  await tx.query(`UPDATE source SET mapping_version = $2, revision = revision + 1, updated_at = now() WHERE id = $1`, [
    source.id,
    version,
  ]);
  return version;
}

async function insertMapping(
  tx: PoolClient,
  sourceId: number,
  version: number,
  mapping: Mapping,
  note: string | null,
  by: Signature,
): Promise<void> {
  await tx.query(
    `INSERT INTO source_mapping (source_id, version, mapping, note, made_by, made_by_account) VALUES ($1, $2, $3, $4, $5, $6)`,
    [sourceId, version, JSON.stringify(mapping), note, by.text, by.accountId],
  );
}
