import { loadConfig, type Config } from "@/server/config/config";
import { refuseExposure } from "@/server/config/exposure";
import { startedByNpm } from "@/server/config/launch";
import {
  dataFolderBeforehand,
  openAttempt,
  type SetupAttempt,
  type SetupTrouble,
} from "@/server/observability/setup-attempts.mjs";
import { explain } from "./explain";

/** The record of a start's steps. */
export interface StartRecord {
  /** Does one step, and notes how long it took and how it ended. Throws what the step throws. */
  step<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Notes that a step under way goes on without what it wanted. */
  warned(name: string, trouble: SetupTrouble): void;
}

/** For a role that runs by itself: nothing is written down. */
export const UNRECORDED: StartRecord = { step: (_name, work) => work(), warned: () => {} };

/** Reads the configuration, as the first step of an attempt to start everything. @throws ConfigError */
export function beginStart(): { readonly config: Config; readonly attempt: SetupAttempt } {
  const attempt = openAttempt(dataFolderBeforehand(), { continues: startedByNpm() });
  attempt.begin("configuration");
  try {
    const config = loadConfig();
    refuseExposure(config);
    attempt.done("configuration");
    return { config, attempt };
  } catch (error) {
    attempt.failed("configuration", troubleOf(error));
    attempt.gaveUp(troubleOf(error));
    throw error;
  }
}

/** Writes steps into an attempt. */
export function recordOf(attempt: SetupAttempt, config: Config): StartRecord {
  return {
    async step(name, work) {
      attempt.begin(name);
      try {
        const result = await work();
        attempt.done(name);
        return result;
      } catch (error) {
        attempt.failed(name, troubleOf(error, config));
        throw error;
      }
    },
    warned: attempt.warned,
  };
}

/** An error in the words its user was told, or as it stands when there were none. */
export function troubleOf(error: unknown, config?: Config): SetupTrouble {
  const known = explain(error, config);
  if (known) return { what: known.what, cause: known.why, fix: known.fix };
  const cause = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { cause: cause.slice(0, 300), fix: "The log lines of that start say more." };
}
