/** Why a step or an attempt didn't work, as it was told. */
export interface SetupTrouble {
  readonly what?: string;
  readonly cause: string;
  readonly fix: string | null;
}

/** What a start writes down as it goes. No call throws; after one of the last three nothing more is written. */
export interface SetupAttempt {
  begin(step: string): void;
  done(step: string): void;
  /** The step didn't work, and the start goes on without. */
  warned(step: string, trouble: SetupTrouble): void;
  failed(step: string, trouble: SetupTrouble): void;
  /** Packages and build are there; the start itself goes on with this attempt. */
  installed(): void;
  ready(): void;
  stopped(): void;
  gaveUp(trouble: SetupTrouble): void;
}

/** Where the attempts are written down: JSON lines, one for each event. */
export function setupAttemptsFile(dataDir: string): string;
/** The data folder as the configuration will find it, for the time before there is one. */
export function dataFolderBeforehand(env?: NodeJS.Dict<string>): string;
/** Begins an attempt, or with `continues` goes on with the one whose installation has just ended. */
export function openAttempt(dataDir: string, options?: { continues?: boolean; now?: () => number }): SetupAttempt;
/** For a process that the attempt under way has started: why it can't run. */
export function noteFailure(dataDir: string, step: string, trouble: SetupTrouble, now?: () => number): void;
