import { isAlive, killNow, processOf, treeOf } from "../processes";
import { until } from "../waiting";
import type { Stage } from "./stage";

/** An engine that can be killed, and taken away for a while. */
export interface Breakable {
  /** Description, in words. */
  readonly name: string;
  /** Kills it with SIGKILL; resolves when it has been told to start again. */
  killAndStart(): Promise<void>;
  /** The way it is taken away, in words. */
  readonly away: string;
  takeAway(): Promise<void>;
  giveBack(): Promise<void>;
}

/** Returns the engine that carries the event log: Kafka, else PostgreSQL. */
export function brokerOf(stage: Stage): Breakable {
  const { kafka } = stage.engines;
  if (!kafka) return { ...databaseOf(stage), name: `${databaseOf(stage).name}, which carries the log` };
  return {
    name: "Kafka",
    async killAndStart() {
      await kafka.kill();
      await kafka.start();
    },
    away: "stopped",
    takeAway: () => kafka.stop(),
    giveBack: () => kafka.start(),
  };
}

/** Returns the engine that carries the readings. */
export function databaseOf(stage: Stage): Breakable {
  const { postgres } = stage.engines;
  if (postgres) {
    return {
      name: "PostgreSQL",
      async killAndStart() {
        await postgres.kill();
        await postgres.start();
      },
      away: "stopped",
      takeAway: () => postgres.stop(),
      giveBack: () => postgres.start(),
    };
  }
  let frozen: number[] = [];
  const postmaster = () => {
    const found = processOf(stage.product.tree(), "postgres");
    if (!found) throw new Error("there is no embedded PostgreSQL among the product's processes");
    return found.pid;
  };
  return {
    name: "the embedded PostgreSQL",
    async killAndStart() {
      const killed = postmaster();
      killNow([killed]);
      // The supervisor notices and starts it: that is what is tried here.
      await until(() => !isAlive(killed), { timeoutMs: 10_000, what: "PostgreSQL to be dead" });
    },
    // Its supervisor would bring back a stopped one at once, so it is held: every process of it, so that nothing answers.
    away: "held with SIGSTOP",
    async takeAway() {
      frozen = [];
      for (let more = treeOf(postmaster()); more.length > 0;) {
        // One may have ended since: sessions come and go.
        for (const { pid } of more) if (isAlive(pid)) process.kill(pid, "SIGSTOP");
        frozen.push(...more.map(({ pid }) => pid));
        more = treeOf(frozen[0]!).filter(({ pid }) => !frozen.includes(pid));
      }
    },
    async giveBack() {
      for (const pid of frozen.reverse()) if (isAlive(pid)) process.kill(pid, "SIGCONT");
    },
  };
}
