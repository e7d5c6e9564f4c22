import type { Logger } from "@/server/observability/logger";
import type { Child, ChildOptions } from "./children";

/** A role that runs only as long as there is something for it to do. */
export interface OnDemand {
  /** Starts or stops it; says nothing new if it is so already. Nobody waits for it: what it lacks is no reason for the others to end. */
  want(isWanted: boolean): void;
  /** Asks it to stop, kills it after `timeoutMs`, and starts it no more. */
  stop(timeoutMs: number): Promise<void>;
  kill(): void;
  /** Tells it something, now and whenever it is started: only the last word counts. */
  tell(message: object): void;
}

/** The time it may take to stop when it isn't wanted any more, in milliseconds. */
const STOP_MS = 9000;

/** @param options.start as startChild. */
export function createOnDemand(options: {
  role: string;
  program: string;
  logger: Logger;
  start: (child: ChildOptions) => Child;
}): OnDemand {
  const { role, program, logger, start } = options;
  let running: Child | null = null;
  let leaving: Promise<void> = Promise.resolve();
  let isWanted = false;
  let isOver = false;
  let told: object | null = null;

  async function settle(): Promise<void> {
    await leaving;
    if (isOver || isWanted === (running !== null)) return;
    if (!isWanted) {
      const child = running!;
      running = null;
      leaving = child.stop(STOP_MS).then(() => logger.info(`${role} has stopped: nothing needs it any more`));
      return;
    }
    const began = performance.now();
    const child = start({ role, program, logger, onFailure: (error) => gone(child, error) });
    running = child;
    if (told !== null) child.tell(told);
    child.ready.then(
      () => logger.info(`${role} is ready (${((performance.now() - began) / 1000).toFixed(1)} s)`),
      (error: unknown) => gone(child, error),
    );
  }

  /** It is tried again the next time somebody says that it is wanted. */
  function gone(child: Child, error: unknown): void {
    if (running !== child || isOver) return;
    running = null;
    logger.error({ err: error }, `${role} doesn't run; what it takes in has to wait`);
  }

  return {
    want(wanted) {
      isWanted = wanted;
      void settle();
    },
    async stop(timeoutMs) {
      isOver = true;
      await Promise.all([leaving, running?.stop(timeoutMs)]);
    },
    kill() {
      isOver = true;
      running?.kill();
    },
    tell(message) {
      told = message;
      running?.tell(message);
    },
  };
}
