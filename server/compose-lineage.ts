import type { PoolClient } from "pg";
import { COLLECTIONS } from "./adapters/mongodb/collections";
import type { Config } from "./config/config";
import { readVersion } from "./config/version";
import { CATALOG, datasetsOf, JOBS_WITH_DATA } from "./domain/lineage";
import type { LineageNames, LineageRun } from "./domain/open-lineage";
import { TOPICS } from "./domain/terms";
import { UnavailableError } from "./domain/unavailable";
import type { EndedRun, TakenRun } from "./jobs/runs";
import type { SendEvent } from "./lineage/jobs";
import { addEvents } from "./lineage/outbox";
import { connectionStringOf } from "./postgres/client";
import { databaseConnection } from "./postgres/connection";
import type { Job } from "./postgres/job";

/** The longest that a receiver may take for one event, in milliseconds. */
const PATIENCE_MS = 10_000;

/** What is told of runs where OpenLineage events are sent. */
export interface LineageTelling {
  readonly names: LineageNames;
  readonly send: SendEvent;
  /** Called in the transaction in which runs begin. */
  taken(tx: PoolClient, runs: readonly TakenRun[], jobs: ReadonlyMap<string, Job>): Promise<void>;
  /** Called in the transaction in which a run ends. */
  ended(tx: PoolClient, run: EndedRun, job: Job): Promise<void>;
}

/** Null without OPENLINEAGE_URL. */
export function composeLineage(config: Config): LineageTelling | null {
  const { OPENLINEAGE_URL: base, OPENLINEAGE_API_KEY: key } = config.lineage;
  if (base === undefined) return null;
  const names = lineageNames(config);
  const url = `${base.replace(/\/+$/, "")}/api/v1/lineage`;
  const headers = { "content-type": "application/json", ...(key !== undefined && { authorization: `Bearer ${key}` }) };
  const hasData = new Set(JOBS_WITH_DATA);
  return {
    names,
    send: (body, signal) => post(url, { headers, body, signal }),
    async taken(tx, runs, jobs) {
      const begun = runs.filter(({ job, isFirst }) => isFirst && hasData.has(job));
      await addEvents(
        tx,
        begun.map((run) => ({ ...runOf(run, jobs.get(run.job)!), type: "START", dueAt: run.scheduledFor })),
        names,
      );
    },
    async ended(tx, run, job) {
      if (!hasData.has(run.job)) return;
      const type = ({ done: "COMPLETE", stopped: "ABORT", failed: "FAIL" } as const)[run.state];
      await addEvents(tx, [{ ...runOf(run, job), type, error: run.error }], names);
    },
  };
}

/** What such a job counts as done is rows of this dataset. */
const COUNTED: Readonly<Record<string, string>> = { "readings-merge": "hours", "readings-quarters": "quarters" };

function runOf(run: Pick<EndedRun, "id" | "job" | "done">, { about }: Job): Omit<LineageRun, "type"> {
  const { inputs, outputs } = datasetsOf(run.job);
  return {
    ...{ at: Date.now(), runId: run.id, job: { name: run.job, about, isStream: false } },
    inputs: inputs.map((kind) => ({ kind })),
    outputs: outputs.map((kind) => ({ kind, ...(COUNTED[run.job] === kind && run.done > 0 && { rows: run.done }) })),
  };
}

async function post(url: string, { signal, ...init }: RequestInit & { signal: AbortSignal }): Promise<boolean> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  const answer = await fetch(url, { ...init, method: "POST", redirect: "manual", signal: within }).catch(
    (error: unknown) => {
      const { cause } = error as { cause?: { code?: string; message?: string } };
      throw new UnavailableError(`The receiver can't be reached: ${cause?.code ?? (error as Error).message}`);
    },
  );
  await answer.body?.cancel();
  if (answer.ok) return true;
  // The event is wrong; with any other status it is the address, the key, or the receiver.
  if (answer.status === 400 || answer.status === 413 || answer.status === 422) return false;
  throw new UnavailableError(`The receiver answered ${answer.status}`);
}

/** Names by OpenLineage's rules: an engine's address, and what holds the data there. */
function lineageNames(config: Config): LineageNames {
  const { KAFKA_BROKERS: brokers, MONGODB_URI: mongo, DATABASE_URL } = config.engines;
  const postgres = new URL(connectionStringOf(databaseConnection(config)));
  const database = postgres.pathname.slice(1);
  // The port of an embedded one changes from start to start, and nobody else names its tables.
  const host = DATABASE_URL === undefined ? "embedded" : `${postgres.hostname}:${postgres.port || "5432"}`;
  const inPostgres = (table: string) => ({ namespace: `postgres://${host}`, name: `${database}.public.${table}` });
  const views: Readonly<Record<string, string>> = {
    ...{ sample: "reading", rollup_minute: "reading_minute", rollup_hour: "reading_hour" },
  };
  return {
    version: readVersion(),
    namespace: config.lineage.OPENLINEAGE_NAMESPACE,
    owner: config.lineage.DATA_OWNER ?? null,
    of(kind) {
      const { engine, tables } = CATALOG[kind];
      if (engine === "log" && brokers !== undefined)
        return { namespace: `kafka://${brokers[0]}`, name: TOPICS.telemetry };
      if (engine === "documents" && mongo !== undefined) {
        const { hosts, name } = /^mongodb(?:\+srv)?:\/\/(?:[^@/]*@)?(?<hosts>[^/?,]+)[^/?]*(?:\/(?<name>[^?]*))?/.exec(
          mongo,
        )!.groups!;
        return { namespace: `mongodb://${hosts}`, name: `${name || "fieldwatch"}.${IN_MONGODB[kind] ?? kind}` };
      }
      if (engine === "cold") return { namespace: config.lineage.OPENLINEAGE_NAMESPACE, name: "cold" };
      if (engine === "web") return { namespace: config.lineage.OPENLINEAGE_NAMESPACE, name: kind };
      return inPostgres(views[tables[0]!] ?? tables[0]!);
    },
  };
}

const IN_MONGODB: Readonly<Record<string, string>> = {
  messages: COLLECTIONS.archive,
  latest: COLLECTIONS.twins,
  deadLetters: COLLECTIONS.deadLetters,
};
