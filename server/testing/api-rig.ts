import type pg from "pg";
import pino from "pino";
import { afterAll, beforeAll, expect } from "vitest";
import type { z } from "zod";
import type { Api } from "@/server/api/runtime";
import type { VerbName } from "@/server/api/verbs";
import { composeEngines, type Engines, topicSettings } from "@/server/compose";
import { composeApi, composePipelineState } from "@/server/compose-web";
import { type Config, loadConfig } from "@/server/config/config";
import type { Caller } from "@/server/domain/access";
import { problem } from "@/server/contracts/common";
import type { HealthAnswer } from "@/server/contracts/health";
import { pipelineAnswer } from "@/server/contracts/pipeline";
import { telemetryAnswer } from "@/server/contracts/telemetry";
import { createPrismaClient, type PrismaClient } from "@/server/postgres/prisma";
import { healthSummary } from "@/server/health/details";
import { noIngestCounts, type IngestCounts } from "@/server/ingest/ingest-rates";
import type { Admission } from "@/server/ingest/admission";
import type { EventLog } from "@/server/ports/event-log";
import type { Fetch } from "@/server/sources/handshakes";
import { runWorker } from "@/server/worker";
import { freshDatabase, type TestDatabase } from "./database";
import { until } from "./until";

export const JSON_TYPE = { "content-type": "application/json" };
export const NDJSON = { "content-type": "application/x-ndjson" };

/** The moment after the last message of a device. */
export const NOW = Date.now();

/** The message number `i` of a device, a second after the one before it. */
export function message(device: string, i: number, readings: object = { temperature: i, door: i % 2 === 0 }) {
  const time = new Date(NOW - 600_000 + i * 1000).toISOString();
  return { device, time, site: device < "m" ? "north" : "south", type: "press", readings };
}

/** A person who may do everything. */
const ANYONE: Caller = {
  ...{ kind: "user", accountId: 1, name: "Ada", sessionId: "00000000-0000-4000-8000-000000000000", provenAt: NOW },
  grants: [{ role: "admin", siteId: null }],
};

/** What the configuration's hosts and users are called, as health takes it. */
export const PRIVATE_NAMES = ["secretive"];

const silent = pino({ level: "silent" });

/** Parts of an API under test that may differ from the usual. */
export interface ApiParts {
  readonly ingest?: Partial<Config["ingest"]>;
  readonly append?: EventLog["append"];
  readonly counts?: IngestCounts;
  /** Who asks; left out: somebody who may do everything. */
  readonly caller?: Caller;
  /** How who asks is told, instead. */
  readonly callerOf?: (request: Request) => Promise<Caller>;
  readonly logger?: pino.Logger;
  /** Who judges senders; left out: one of its own. */
  readonly admission?: Admission;
  /** What answers where the API asks elsewhere. */
  readonly fetchOutside?: Fetch;
  /** What health is, beside nothing known. */
  readonly health?: Partial<HealthAnswer>;
}

/** A request to take messages. */
interface Sending {
  readonly headers?: Record<string, string>;
  readonly query?: string;
  /** Another API than the rig's own. */
  readonly to?: Api;
}

/**
 * The API on a database of its own, with a worker, until the file's tests are done, both by the role the product runs as. Call it once, at the
 * top of a test file.
 * @param variables of the configuration, besides the database's.
 */
export function createApiRig(variables: Readonly<Record<string, string>> = {}) {
  let db: TestDatabase;
  let config: Config;
  let engines: Engines;
  let prisma: PrismaClient;
  let api: Api;
  let worker: { stop(): Promise<void> };

  function compose({
    ingest,
    append,
    counts = noIngestCounts(),
    caller,
    callerOf = caller && (async () => caller),
    logger = silent,
    admission,
    fetchOutside,
    health,
  }: ApiParts = {}): Api {
    const eventLog = append ? { ...engines.eventLog, append } : engines.eventLog;
    const pipelineState = composePipelineState(engines, { staleSeconds: 60, now: Date.now, onLogError: () => {} });
    const full = (): HealthAnswer => ({
      status: "pass" as const,
      verdict: "",
      parts: { what: "", since: null, means: "" },
      time: new Date().toISOString(),
      version: "0",
      leftOut: null,
      engines: engines.names,
      probes: [],
      jobs: [],
      ...health,
    });
    const answer = (details: boolean) => (details ? full() : healthSummary(full(), PRIVATE_NAMES));
    return composeApi({
      config: { ...config, ingest: { ...config.ingest, ...ingest } },
      engines: { ...engines, eventLog },
      prisma,
      pipelineState,
      ingestCounts: () => counts,
      health: { answer },
      version: "0",
      logger,
      callerOf: callerOf ?? (async () => ANYONE),
      // Doors of sources have a check of keys of their own.
      ...(callerOf && { doorCallerOf: callerOf }),
      ...(admission && { admission }),
      ...(fetchOutside && { fetchOutside }),
    });
  }

  beforeAll(async () => {
    db = await freshDatabase();
    config = loadConfig({ DATABASE_URL: db.appUrl, ...variables }, "");
    engines = await composeEngines(config, "test", silent);
    prisma = createPrismaClient(engines.pool);
    await engines.eventLog.ensureTopics(topicSettings(config));
    api = compose();
    worker = await runWorker(config, silent);
  });
  afterAll(async () => {
    await worker?.stop();
    await prisma?.$disconnect();
    await engines?.close();
    await db?.drop();
  });

  const rig = {
    get api(): Api {
      return api;
    },
    get engines(): Engines {
      return engines;
    },
    get config(): Config {
      return config;
    },
    /** Of the owner of the tables: what a test makes and looks at, past the API. */
    get owner(): pg.Pool {
      return db.pool;
    },
    /** As who the API is connected. */
    get connectionString(): string {
      return db.appUrl;
    },
    logger: silent,

    /** One more API on the same engines. */
    compose,

    get(verb: VerbName, params: Record<string, string> = {}, query = ""): Promise<Response> {
      return api.handle(verb, new Request(`http://here/api?${query}`), params);
    },

    /** POSTs telemetry, JSON unless the headers say otherwise. */
    post(body: BodyInit, { headers = JSON_TYPE, query = "", to = api }: Sending = {}): Promise<Response> {
      const request = new Request(`http://here/api?${query}`, { method: "POST", body, headers });
      return to.handle("ingestTelemetry", request, {});
    },

    /** Sends 600 messages of press-07 and four of three others, and waits until all are stored. */
    async sendFleet(): Promise<void> {
      const lines = Array.from({ length: 600 }, (_, i) => JSON.stringify(message("press-07", i))).join("\n");
      expect(await read(telemetryAnswer, rig.post(lines, { headers: NDJSON }))).toEqual({
        accepted: 600,
        rejected: [],
      });
      const rest = [
        message("zeta", 1),
        message("alpha_1", 2),
        message("alphaX1", 3, { temperature: 1, note: "hi" }),
        message("zeta", 5, { temperature: "x", door: "ajar" }),
      ];
      expect((await read(telemetryAnswer, rig.post(JSON.stringify(rest)))).accepted).toBe(4);
      await until(async () => (await read(pipelineAnswer, rig.get("getPipeline"))).totals.messages === 604, {
        timeoutMs: 20_000,
      });
    },
  };
  return rig;
}

/** An answer that must be one of success, in the shape of its contract. */
export async function read<T extends z.ZodType>(schema: T, answer: Promise<Response>): Promise<z.output<T>> {
  const response = await answer;
  expect(response.headers.get("cache-control")).toMatch(/^no-store\b/);
  const json: unknown = await response.json();
  expect(response.status, JSON.stringify(json)).toBeLessThan(300);
  return schema.parse(json);
}

/** An answer that must be a problem: what it says, its kind, and the headers it came with. */
export async function refused(answer: Promise<Response>) {
  const response = await answer;
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const body = problem.parse(await response.json());
  expect(body.status).toBe(response.status);
  return {
    ...body,
    rejected: body.rejected,
    current: body.current,
    kind: body.type.replace("/problems/", ""),
    headers: response.headers,
  };
}
