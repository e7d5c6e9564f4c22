import path from "node:path";
import { pause } from "../waiting";
import { type Drill, readOptions, runDrills } from "./drill";
import { brokerOf } from "./faults";
import { healthNames, healthy, now, recovered } from "./recovery";
import { settle, startSimulator } from "./simulator";

/**
 * A drill in which the engine carrying the event log is away for a minute: the simulator queues on its disk, health says
 * so, the backlog drains.
 */
export const brokerStop: Drill = {
  name: "broker-stop",
  stage: "plain",
  async run(stage, { short, say }) {
    const broker = brokerOf(stage);
    const options = {
      url: stage.product.url,
      dataDir: path.join(stage.folder, "broker-stop"),
      devices: 40,
      intervalMs: 200,
      seed: 11,
    };
    const simulator = startSimulator(stage, options);
    await recovered(stage, simulator, now());
    // Who asks for health is known from now on: no key can be made while PostgreSQL is away.
    await healthy(stage);

    // Kafka's own probes name it there; PostgreSQL's log has only its topics'.
    const named = stage.engines.kafka ? /^kafka\./ : /^log\.iot\.telemetry$/;
    const began = performance.now();
    await broker.takeAway();
    const { verdict, probe } = await healthNames(stage, ({ name }) => named.test(name));
    const told = (performance.now() - began) / 1000;
    await pause((short ? 8000 : 60_000) - (performance.now() - began));
    const awaySeconds = (performance.now() - began) / 1000;
    await broker.giveBack();
    const seconds = await recovered(stage, simulator, now());
    await healthy(stage);
    const sum = await simulator.stop();
    const { lost, strange, gaps } = await settle(stage, options, sum);

    say(`${broker.name} ${broker.away} for ${awaySeconds.toFixed(0)} s; health named it after ${told.toFixed(1)} s:`);
    say(`"${verdict}" · ${probe.title}: ${probe.summary} ${probe.cause} → ${probe.fix}`);
    say(`the simulator says ${sum.accepted} accepted, ${sum.waiting} waiting, ${sum.dropped} dropped`);
    const wrong = [...strange.slice(0, 3).map((key) => `stored, but never made: ${key}`)];
    if (lost !== 0) wrong.push(`${lost} messages accepted and not stored`);
    if (gaps !== 0) wrong.push(`${gaps} messages missing between the first and the last of a device`);
    if (sum.waiting + sum.dropped !== 0) wrong.push("something waits or was dropped");
    return { recoveries: [seconds], wrong };
  },
};

export async function main(argv: string[]): Promise<number> {
  return runDrills([brokerStop], readOptions(argv));
}
