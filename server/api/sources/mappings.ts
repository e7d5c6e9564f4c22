import type { Pool } from "pg";
import { z } from "zod";
import {
  guessAnswer,
  guessBody,
  newMappingBody,
  previewAnswer,
  previewBody,
  sourceMapping,
  type SourceTemplatesAnswer,
  templatesAnswer,
} from "@/server/contracts/sources";
import { signatureOf } from "@/server/domain/access";
import type { Delivery } from "@/server/domain/mapping/delivery";
import type { Mapping } from "@/server/domain/mapping/mapping";
import { deliveryOf, explain } from "@/server/sources/explain";
import { listMappings, saveMapping } from "@/server/sources/rows";
import { readSamples } from "@/server/sources/samples";
import { templateOf } from "@/server/sources/known-senders";
import { createBirths } from "@/server/sources/sparkplug/births";
import { namesOf } from "@/server/sources/sparkplug/nodes";
import { KNOWN_SENDERS } from "@/server/sources/templates/templates";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, verb, writingVerb } from "../verb";
import { MOST_MAPPING_BYTES } from "./change";
import { mustBeOwn, sourceAt, sourceParams, toMapping } from "./view";

const { $schema: _, ...MAPPING_SCHEMA } = z.toJSONSchema(newMappingBody, { io: "input" });
const { $schema: __, ...PREVIEW_SCHEMA } = z.toJSONSchema(previewBody, { io: "input" });
const { $schema: ___, ...GUESS_SCHEMA } = z.toJSONSchema(guessBody, { io: "input" });
const MOST_PREVIEW_BYTES = 4 * 1024 * 1024;

export const saveSourceMapping = writingVerb(
  {
    method: "POST",
    path: "/api/v1/sources/{source}/mappings",
    access: "edit",
    bySite: true,
    summary: "Makes a new version of a source's mapping the current one",
    description:
      "Messages of before stay as they were read. Dead letters of the source are read by the current mapping when they are resent.",
    params: sourceParams,
    query: NO_PARAMETERS,
    answer: sourceMapping,
    status: 200,
    problems: ["not-found", "wrong-status", "changed-meanwhile", ...BODY_PROBLEMS],
    bodies: { "application/json": MAPPING_SCHEMA },
  },
  () =>
    async (ctx, { params, request, note }) => {
      const { mapping, note: words, base } = await parseJsonBody(newMappingBody, request, MOST_MAPPING_BYTES);
      const row = await sourceAt(ctx, params.source, true);
      mustBeOwn(row);
      if (row.mappingVersion !== base)
        throw new ProblemError(
          "changed-meanwhile",
          `Version ${row.mappingVersion} was made meanwhile: change that one.`,
          {
            members: { current: { mappingVersion: row.mappingVersion } },
          },
        );
      const [before] = await listMappings(ctx.tx, row.id, 1);
      const version = await saveMapping(ctx.tx, row, mapping, words, signatureOf(ctx.caller));
      note({
        detail: {
          before: { version: base, mapping: before?.mapping ?? null },
          after: { version, mapping, note: words },
        },
      });
      return toMapping((await listMappings(ctx.tx, row.id, 1))[0]!);
    },
);

export const previewMapping = verb(
  {
    method: "POST",
    path: "/api/v1/source-preview",
    access: "edit",
    // It tells what samples hold.
    audited: "seen",
    bySite: true,
    summary: "Tells what a mapping makes of payloads, or of a source's last samples; writes nothing",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: previewAnswer,
    status: 200,
    problems: ["not-found", ...BODY_PROBLEMS],
    bodies: { "application/json": PREVIEW_SCHEMA },
  },
  ({ pool }: { readonly pool: Pool }) =>
    async (ctx, { request, note }) => {
      const { mapping, payloads, source } = await parseJsonBody(previewBody, request, MOST_PREVIEW_BYTES);
      if (source !== undefined) note({ target: source });
      const row = source === undefined ? null : await sourceAt(ctx, source);
      const current = row && (await listMappings(pool, row.id, 1))[0]!.mapping;
      const deliveries =
        payloads?.map((payload) => ({ sample: null, delivery: deliveryOf(payload, ctx.now) })) ??
        (await readSamples(pool, row!.id)).map(({ id, at, body, beside }) => ({
          sample: id,
          delivery: { body, beside, arrived: at },
        }));
      const births = createBirths(pool);
      const readAs = (by: Mapping) =>
        row === null ? (delivery: Delivery) => delivery : namesOf(births, { id: row.id, mapping: by });
      const after = await readAs(mapping);
      const before = current && (await readAs(current));
      return {
        items: deliveries.map(({ sample, delivery }) => ({
          sample,
          after: explain(mapping, after(delivery)),
          before: before && explain(current, before(delivery)),
        })),
      };
    },
);

export const guessSourceTemplate = verb(
  {
    method: "POST",
    path: "/api/v1/source-guess",
    access: "edit",
    bySite: true,
    summary: "Tells which templates a payload looks like",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: guessAnswer,
    status: 200,
    problems: [...BODY_PROBLEMS],
    bodies: { "application/json": GUESS_SCHEMA },
  },
  () =>
    async ({ now }, { request }) => {
      const { payload } = await parseJsonBody(guessBody, request, MOST_PREVIEW_BYTES);
      const guessed = KNOWN_SENDERS.guess(deliveryOf(payload, now));
      return {
        items: guessed.map(({ kind, why }) => ({ kind, why, mapping: templateOf(KNOWN_SENDERS, kind).mapping })),
      };
    },
);

export const listSourceTemplates = verb(
  {
    method: "GET",
    path: "/api/v1/source-templates",
    access: "view",
    bySite: true,
    summary: "The kinds of senders that there is a mapping for",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: templatesAnswer,
    status: 200,
    problems: [],
  },
  ({ mqttListener }: { readonly mqttListener: SourceTemplatesAnswer["mqtt"] }) =>
    async () => ({ items: [...KNOWN_SENDERS.templates], mqtt: mqttListener }),
);
