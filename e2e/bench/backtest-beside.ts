import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type pg from "pg";
import { post } from "../alert-receiver";
import { type Product, startProduct } from "../product";
import { pause, until } from "../waiting";
import { percentile } from "./report";

const STEP_MS = 100;
const LOOK_MS = 20;
/** How long readings come alone, before and after the job. */
const ALONE_MS = 20_000;

/** A trial of a rule on a fleet, as the product answers for it. */
interface Trial {
  readonly id: string;
  readonly status: "waiting" | "running" | "done" | "failed" | "stopped";
  readonly done: number;
  readonly total: number;
  readonly error: string | null;
  readonly episodes: number;
  readonly firingDevices: number;
  readonly createdAt: string;
  readonly finishedAt: string | null;
}

/** How old the newest stored reading of the load was, in milliseconds, looked at every 20 ms. */
interface Ages {
  readonly median: number;
  readonly p99: number;
}

export interface FleetTrial {
  readonly tookMs: number;
  readonly episodes: number;
  readonly firingDevices: number;
  /** Different counts of devices that its progress was seen at. */
  readonly progressSeen: number;
  readonly stoppedAfterMs: number;
  /** Devices it had been through when it was stopped, of all. */
  readonly stoppedAt: string;
  readonly alone: Ages;
  readonly beside: Ages;
  /** Messages of the load that were acknowledged and aren't stored. */
  readonly lost: number;
  readonly sent: number;
}

/**
 * Tries a rule on the history in a database by the built product, while devices send: once to its end, and once until somebody stops it. Leaves no
 * trial running.
 */
export async function tryBeside(
  pool: pg.Pool,
  connectionString: string,
  ask: { readonly spec: unknown; readonly from: number; readonly to: number; readonly perSecond: number },
): Promise<FleetTrial> {
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-backtest-"));
  const env = { DATABASE_URL: connectionString, DEMO_DEVICES: "0" };
  const product = await startProduct({ dataDir: path.join(folder, "data"), env });
  const begun: string[] = [];
  const begin = async () => {
    const range = { from: new Date(ask.from).toISOString(), to: new Date(ask.to).toISOString() };
    const { id } = await post<Trial>(product, "/api/v1/rule-backtests", { spec: ask.spec, name: "bench", ...range });
    begun.push(id);
    return id;
  };
  const look = (id: string) => product.get<Trial>(`/api/v1/rule-backtests/${id}`);
  const isOver = ({ status, finishedAt }: Trial) => finishedAt !== null || status === "done" || status === "failed";
  try {
    await product.ready();
    const load = startLoad(product, ask.perSecond);
    // Its devices are known, and what is compiled at the first message is.
    await pause(5000);
    const ages = watchAges(pool);
    await pause(ALONE_MS);
    const before = ages.take();
    const id = await begin();
    const seen = new Set<number>();
    let trial = await look(id);
    await until(
      async () => {
        trial = await look(id);
        seen.add(trial.done);
        return isOver(trial);
      },
      { timeoutMs: 600_000, everyMs: 250, what: "the trial to end" },
    );
    if (trial.status !== "done") throw new Error(`The trial ${trial.status}: ${trial.error}`);
    const during = ages.take();
    await pause(ALONE_MS);
    const alone = [...before, ...ages.take()];
    await ages.stop();

    const other = await begin();
    await until(async () => (await look(other)).done > 0, { timeoutMs: 60_000, what: "the other trial to get going" });
    const asked = performance.now();
    await post(product, `/api/v1/rule-backtests/${other}/stop`, {});
    let stopped = await look(other);
    await until(async () => isOver((stopped = await look(other))), {
      timeoutMs: 30_000,
      everyMs: 20,
      what: "it to stop",
    });
    const stoppedAfterMs = performance.now() - asked;
    if (stopped.done >= stopped.total) throw new Error("It was through before it could be stopped: take more devices.");
    const sent = await load.stop();
    let stored = 0;
    await until(async () => (stored = await storedOf(pool)) >= sent, { timeoutMs: 60_000, what: "all to be stored" });
    return {
      tookMs: Date.parse(trial.finishedAt!) - Date.parse(trial.createdAt),
      ...{ episodes: trial.episodes, firingDevices: trial.firingDevices, progressSeen: seen.size },
      ...{ stoppedAfterMs, stoppedAt: `${stopped.done} of ${stopped.total}` },
      ...{ alone: agesOf(alone), beside: agesOf(during), lost: sent - stored, sent },
    };
  } finally {
    for (const id of begun) await post(product, `/api/v1/rule-backtests/${id}/stop`, {}).catch(() => undefined);
    await product.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const PREFIX = "beside-";
const DEVICES = 200;

async function storedOf(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ n: number }>(
    `SELECT coalesce(sum(messages), 0)::float8 AS n FROM device WHERE name LIKE '${PREFIX}%'`,
  );
  return rows[0]!.n;
}

/** Posts at a steady rate, devices in turn. */
function startLoad(product: Product, perSecond: number) {
  let [isOver, sent, next] = [false, 0, 0];
  const began = performance.now();
  const posts = new Set<Promise<unknown>>();
  const loop = (async () => {
    for (let step = 0; !isOver; step++) {
      await pause(began + step * STEP_MS - performance.now());
      const time = Date.now();
      const lines = Array.from({ length: (perSecond * STEP_MS) / 1000 }, () =>
        JSON.stringify({ device: `${PREFIX}${next++ % DEVICES}`, time, readings: { temperature: 20, humidity: 50 } }),
      );
      const headers = { "content-type": "application/x-ndjson" };
      const one = product
        .fetch("/api/v1/telemetry", { method: "POST", headers, body: lines.join("\n") })
        .then(async (answer) => {
          if (!answer.ok) throw new Error(`POST telemetry: ${answer.status} ${await answer.text()}`);
          sent += lines.length;
        });
      posts.add(one);
      void one.then(
        () => posts.delete(one),
        () => undefined,
      );
    }
    await Promise.all(posts);
  })();
  loop.catch(() => {});
  return {
    /** @returns the messages that were acknowledged */
    async stop() {
      isOver = true;
      await loop;
      return sent;
    },
  };
}

function watchAges(pool: pg.Pool) {
  let ages: number[] = [];
  let isOver = false;
  const loop = (async () => {
    while (!isOver) {
      const { rows } = await pool.query<{ newest: number | null }>(
        `SELECT (extract(epoch FROM max(last_event_time)) * 1000)::float8 AS newest FROM device WHERE name LIKE '${PREFIX}%'`,
      );
      if (rows[0]!.newest !== null) ages.push(Date.now() - rows[0]!.newest);
      await pause(LOOK_MS);
    }
  })();
  loop.catch(() => {});
  return {
    take() {
      const taken = ages;
      ages = [];
      return taken;
    },
    async stop() {
      isOver = true;
      await loop;
    },
  };
}

function agesOf(ages: readonly number[]): Ages {
  const sorted = ages.toSorted((a, b) => a - b);
  return { median: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
}
