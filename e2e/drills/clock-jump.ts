import type { HealthAnswer } from "@/server/contracts/health";
import type { PipelineAnswer } from "@/server/contracts/pipeline";
import { pause, until } from "../waiting";
import { type Drill, readOptions, runDrills } from "./drill";
import { startLoad, USUAL_LOAD } from "./load";
import { healthy, now, recovered } from "./recovery";
import type { Stage } from "./stage";

const HOUR = 3_600_000;

/**
 * The clock of web and worker jumps an hour ahead, then the worker's and then web's an hour back, under load whose event times stay right.
 * The worker's clock changes nothing, as the log's decides; web, an hour behind, names what is in its future to the sender.
 */
export const clockJump: Drill = {
  name: "clock-jump",
  stage: "clock",
  async run(stage, { short, say }) {
    const { ledger, clock } = stage;
    const seconds = short ? 3 : 20;
    const load = startLoad(stage, { prefix: "clock-jump", devices: 20, perSecond: USUAL_LOAD });
    await recovered(stage, load, now());
    const recoveries: number[] = [];
    const wrong: string[] = [];
    say("the clock is shifted in the processes of web and worker, by a preload: their Date, not the machine's");

    clock.set({ web: HOUR, worker: HOUR });
    await namedByHealth(stage);
    await pause(seconds * 1000);
    clock.set({});
    recoveries.push(await rightAgain(stage, load));
    if (ledger.rejected.size > 0) wrong.push("messages were rejected while the clock was ahead");

    clock.set({ worker: -HOUR });
    await pause(seconds * 1000);
    clock.set({});
    recoveries.push(await rightAgain(stage, load));

    clock.set({ web: -HOUR });
    await until(() => (ledger.rejected.get("futureTime") ?? 0) > 0, {
      timeoutMs: 20_000,
      what: "web to reject what is in its future",
    });
    await pause(seconds * 1000);
    clock.set({});
    recoveries.push(await rightAgain(stage, load));
    await load.stop();
    await healthy(stage);

    say(`web named ${ledger.rejected.get("futureTime")} messages to their sender as futureTime`);
    if (ledger.rejected.size !== 1) wrong.push(`rejected: ${JSON.stringify([...ledger.rejected])}`);
    return { recoveries, wrong };
  },
};

/** Health says that the clocks differ. */
async function namedByHealth({ product }: Stage): Promise<void> {
  await until(
    async () => {
      const { probes } = await product.get<HealthAnswer>("/api/v1/health");
      return probes.some(({ name, status }) => name === "postgres.clock" && (status === "fail" || status === "warn"));
    },
    { timeoutMs: 30_000, everyMs: 200, what: "health to name the clock" },
  );
}

/** Waits until messages are stored, lag is told right and all devices are live. @returns seconds since now. */
async function rightAgain(stage: Stage, load: Parameters<typeof recovered>[1]): Promise<number> {
  const end = now();
  await recovered(stage, load, end);
  let seen: PipelineAnswer | undefined;
  await until(
    async () => {
      seen = await stage.product.get<PipelineAnswer>("/api/v1/pipeline");
      const { lagSeconds, devices, time } = seen;
      const clock = Math.abs(Date.parse(time) - Date.now()) < 2000;
      return (
        clock &&
        lagSeconds !== null &&
        lagSeconds < 2 &&
        devices.live === load.devices.length &&
        seen.rates.messagesPerSecond > 0
      );
    },
    { timeoutMs: 30_000, everyMs: 100, what: "lag and device states to be right" },
  ).catch((error: unknown) => {
    const { lagSeconds, devices, rates, time } = seen ?? {};
    throw new Error(`${(error as Error).message} ${JSON.stringify({ time, lagSeconds, devices, rates })}`);
  });
  const ahead = seen!.history.filter(({ time }) => time > Date.now() + 5000).length;
  if (ahead > 0) throw new Error(`${ahead} intervals of the history lie in the future`);
  return (performance.now() - end.steady) / 1000;
}

export async function main(argv: string[]): Promise<number> {
  return runDrills([clockJump], readOptions(argv));
}
