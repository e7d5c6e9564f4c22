import type { Pool } from "pg";
import type { z } from "zod";
import { sourceDetail, sourceMappingsAnswer, sourceSamplesAnswer, sourcesAnswer } from "@/server/contracts/sources";
import { sitesOf } from "@/server/domain/access";
import type { DeadLetters } from "@/server/ports/dead-letters";
import { readTotals } from "@/server/sources/counts";
import type { DoorReport } from "@/server/sources/doors/door";
import { readDoors } from "@/server/sources/doors/reports";
import { listHandshakes } from "@/server/sources/handshakes";
import { listMappings, listSources, type SourceRow } from "@/server/sources/rows";
import { MOST_SAMPLE_BYTES, readSamples, type SourceSampleRow } from "@/server/sources/samples";
import { toInstant } from "../instant";
import { NO_PARAMETERS, verb } from "../verb";
import { isAt, sourceAt, sourceParams, toHandshake, toMapping, toSource } from "./view";

export interface SourcesDeps {
  readonly pool: Pool;
  readonly deadLetters: Pick<DeadLetters, "count">;
}

export const listSourcesVerb = verb(
  {
    method: "GET",
    path: "/api/v1/sources",
    access: "view",
    bySite: true,
    summary: "Every source of messages, and what is counted of it",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: sourcesAnswer,
    status: 200,
    problems: [],
  },
  ({ pool }: Pick<SourcesDeps, "pool">) =>
    async ({ sites }) => {
      const rows = await listSources(pool, sites);
      const ids = rows.map(({ id }) => id);
      const [totals, { reports }] = await Promise.all([readTotals(pool, ids), readDoors(pool)]);
      return {
        items: rows.map((row) => toSource(row, totals.get(row.id)!)),
        troubles: Object.fromEntries(
          rows.flatMap((row) => {
            const trouble = troubleOf(row, reports);
            return trouble === null ? [] : [[row.name, trouble]];
          }),
        ),
      };
    },
);

export const getSource = verb(
  {
    method: "GET",
    path: "/api/v1/sources/{source}",
    access: "view",
    bySite: true,
    summary: "One source: its settings, its mapping, what is counted of it",
    params: sourceParams,
    query: NO_PARAMETERS,
    answer: sourceDetail,
    status: 200,
    problems: ["not-found"],
  },
  ({ pool, deadLetters }: SourcesDeps) =>
    async (ctx, { params }) => {
      const row = await sourceAt(ctx, params.source);
      const [totals, [mapping], { open }, handshakes, doors] = await Promise.all([
        readTotals(pool, [row.id]),
        listMappings(pool, row.id, 1),
        deadLetters.count({ sites: "all", source: row.name, status: "open" }),
        listHandshakes(pool, row.id),
        doorsOf(pool, row),
      ]);
      return {
        source: toSource(row, totals.get(row.id)!),
        mapping: toMapping(mapping!),
        openDeadLetters: open,
        // Whoever has the address can confirm it.
        doors,
        handshakes: isAt(row, sitesOf(ctx.caller, "edit")) ? handshakes.map(toHandshake) : [],
      };
    },
);

/** Why nothing comes in by any of its doors; null while something may. */
function troubleOf(row: SourceRow, reports: readonly DoorReport[]): string | null {
  const own = reportsOf(row, reports);
  return own.every(({ trouble }) => trouble !== null) ? (own[0]?.trouble ?? null) : null;
}

/** What is told of a source's own door; that of MQTT is the listener's, which many share. */
async function doorsOf(pool: Pool, row: SourceRow): Promise<z.input<typeof sourceDetail>["doors"]> {
  const { reports } = await readDoors(pool);
  return reportsOf(row, reports).map(({ what, trouble, fix, lag }) => ({ what, trouble, fix, lag }));
}

function reportsOf({ name, door, enabled }: SourceRow, reports: readonly DoorReport[]): readonly DoorReport[] {
  if (!enabled || door.type === "http") return [];
  return reports.filter(({ source }) => source === (door.type === "mqtt" ? null : name));
}

export const listSourceMappings = verb(
  {
    method: "GET",
    path: "/api/v1/sources/{source}/mappings",
    access: "view",
    bySite: true,
    summary: "Versions of a source's mapping, newest first",
    params: sourceParams,
    query: NO_PARAMETERS,
    answer: sourceMappingsAnswer,
    status: 200,
    problems: ["not-found"],
  },
  ({ pool }: Pick<SourcesDeps, "pool">) =>
    async (ctx, { params }) => {
      const { id } = await sourceAt(ctx, params.source);
      return { items: (await listMappings(pool, id, 100)).map(toMapping) };
    },
);

export const listSourceSamples = verb(
  {
    method: "GET",
    path: "/api/v1/sources/{source}/samples",
    access: "view-messages",
    audited: "seen",
    bySite: true,
    summary: "The last deliveries of a source as they came, for writing its mapping",
    params: sourceParams,
    query: NO_PARAMETERS,
    answer: sourceSamplesAnswer,
    status: 200,
    problems: ["not-found"],
  },
  ({ pool }: Pick<SourcesDeps, "pool">) =>
    async (ctx, { params }) => {
      const { id } = await sourceAt(ctx, params.source);
      return { items: (await readSamples(pool, id)).map(toSample) };
    },
);

function toSample({ id, at, beside, body, bytes, outcome }: SourceSampleRow) {
  const { text, encoding } = textOf(body);
  const { path, query, headers, kafka, ...rest } = beside;
  return {
    ...{ id, bytes, isCut: bytes > MOST_SAMPLE_BYTES, at: toInstant(at) },
    payload: {
      ...rest,
      ...{ body: text, encoding, path: [...path], query: { ...query }, headers: { ...headers } },
      kafka: kafka && { ...kafka, headers: { ...kafka.headers } },
    },
    outcome: { ...outcome, refused: outcome.refused.map((one) => ({ ...one })) },
  };
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Bytes as they are told: as text where they are that. */
function textOf(bytes: Uint8Array): { readonly text: string; readonly encoding: "utf-8" | "base64" } {
  try {
    return { text: utf8.decode(bytes), encoding: "utf-8" };
  } catch {
    return { text: Buffer.from(bytes).toString("base64"), encoding: "base64" };
  }
}
