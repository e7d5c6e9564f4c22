/** True if this process was started by an npm script, so that npm (or its shell) is its parent. */
export function startedByNpm(env: NodeJS.Dict<string> = process.env): boolean {
  return env.npm_lifecycle_event !== undefined;
}

/** How the process before this one ended. */
export interface Death {
  /** Epoch milliseconds. */
  readonly at: number;
  /** The signal or the exit code. */
  readonly how: string;
}

const DEATH = "FIELDWATCH_AFTER_DEATH";

/** The environment of a process that is told how the one before ended; null: it replaces none. */
export function environmentAfter(death: Death | null, env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const { [DEATH]: _, ...own } = env;
  return death === null ? (own as NodeJS.ProcessEnv) : { ...own, [DEATH]: `${death.at} ${death.how}` };
}

/** How the process that this one replaces ended; null if it replaces none. */
export function afterDeath(env: NodeJS.Dict<string> = process.env): Death | null {
  const [, at, how] = /^(\d{1,15}) (.{1,64})$/.exec(env[DEATH] ?? "") ?? [];
  return at === undefined || how === undefined ? null : { at: Number(at), how };
}
