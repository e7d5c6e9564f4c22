import type { HealthAnswer, ProbeResult } from "@/server/contracts/health";
import { until } from "../waiting";
import type { Stage } from "./stage";
import { withDatabase } from "./stored";

/** The furthest the newest stored message of a device is behind the clock when nothing is behind, in milliseconds. */
const SLACK_MS = 1000;
const LONGEST_MS = 600_000;

/** The moment a fault ended. */
export interface FaultEnd {
  readonly wall: number;
  readonly steady: number;
}

export function now(): FaultEnd {
  return { wall: Date.now(), steady: performance.now() };
}

/**
 * Waits until all is as before: of every device a message made after the fault is stored, and the newest is up to date. A device's messages
 * are sent and handled in order, so nothing made before waits any more. @returns seconds since the fault's end.
 */
export async function recovered(
  stage: Stage,
  source: { readonly devices: readonly string[]; readonly intervalMs: number },
  end: FaultEnd,
): Promise<number> {
  let told = "nothing";
  await until(
    async () => {
      const { oldest, count } = await newest(stage, source.devices).catch((error: unknown) => {
        told = (error as Error).message;
        return { oldest: 0, count: 0 };
      });
      if (count > 0) told = `${count} of ${source.devices.length} devices, ${Date.now() - oldest} ms behind`;
      return count === source.devices.length && oldest > end.wall && oldest > Date.now() - SLACK_MS - source.intervalMs;
    },
    { timeoutMs: LONGEST_MS, everyMs: 100, what: "all devices to be up to date again" },
  ).catch((error: unknown) => {
    throw new Error(`${(error as Error).message} Seen: ${told}.\n${stage.product.log().slice(-2000)}`);
  });
  return (performance.now() - end.steady) / 1000;
}

async function newest(stage: Stage, devices: readonly string[]): Promise<{ oldest: number; count: number }> {
  return withDatabase(stage, async (client) => {
    const { rows } = await client.query<{ oldest: string | null; count: number }>(
      `SELECT extract(epoch FROM min(last_event_time)) * 1000 AS oldest, count(last_event_time)::int AS count
       FROM device WHERE name = ANY($1)`,
      [devices],
    );
    return { oldest: Number(rows[0]?.oldest ?? 0), count: rows[0]?.count ?? 0 };
  });
}

/** Waits until health names the fault: a failing probe that fits, with its cause and a fix. @returns the verdict and the probe. */
export async function healthNames(
  stage: Stage,
  fits: (probe: ProbeResult) => boolean,
): Promise<{ verdict: string; probe: ProbeResult }> {
  let seen: HealthAnswer | undefined;
  let found: ProbeResult | undefined;
  await until(
    async () => {
      seen = await stage.product.get<HealthAnswer>("/api/v1/health").catch(() => undefined);
      found = seen?.probes.find((probe) => probe.status === "fail" && fits(probe));
      return found !== undefined;
    },
    { timeoutMs: 45_000, everyMs: 100, what: "health to name the fault" },
  ).catch((error: unknown) => {
    throw new Error(`${(error as Error).message} It says: ${JSON.stringify(seen)?.slice(0, 3000)}`);
  });
  if (!found!.cause || !found!.fix) throw new Error(`${found!.name} fails without cause or fix`);
  if (seen!.verdict.startsWith("All good"))
    throw new Error(`the verdict is "${seen!.verdict}" while ${found!.name} fails`);
  return { verdict: seen!.verdict, probe: found! };
}

/** Waits until no probe fails. */
export async function healthy(stage: Stage): Promise<void> {
  let seen: HealthAnswer | undefined;
  await until(
    async () => {
      seen = await stage.product.get<HealthAnswer>("/api/v1/health").catch(() => undefined);
      return seen !== undefined && seen.probes.every(({ status }) => status === "pass" || status === "warn");
    },
    { timeoutMs: 45_000, everyMs: 200, what: "health to be well again" },
  ).catch((error: unknown) => {
    const bad = seen?.probes.filter(({ status }) => status === "fail" || status === "unknown");
    throw new Error(`${(error as Error).message} It says: ${JSON.stringify(bad)?.slice(0, 2000)}`);
  });
}
