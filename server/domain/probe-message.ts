import type { EpochMs } from "./terms";

/** Header of a record in the event log that is to be followed on its way; its value is the probe message's id. */
export const PROBE_HEADER = "fieldwatch-probe";

/** Matches the id of a probe message. */
const PROBE_ID = /^[A-Za-z0-9-]{1,64}$/;

/** Reads the id of the probe message a record carries; undefined if it has none, or one that Fieldwatch wouldn't write. */
export function probeIdOf(headers: Readonly<Record<string, string>>): string | undefined {
  const id = headers[PROBE_HEADER];
  return id !== undefined && PROBE_ID.test(id) ? id : undefined;
}

/** The device a test message comes from unless another is named. It is a device like any other. */
export const TEST_DEVICE = "fieldwatch-test";
/** The value it reports: 1, each time. */
export const TEST_METRIC = "test-message";

/** Stations on the way of a message that was sent to be followed, in order; the browser's own comes after them. */
export const PROBE_STAGES = [
  "accepted",
  "durable",
  "taken",
  "decode",
  "enrich",
  "documents",
  "readings",
  "published",
] as const;

export type ProbeStage = (typeof PROBE_STAGES)[number];

/** The account of the process that took the message. Moments are epoch milliseconds with a fraction. */
export interface ProbeSent {
  readonly device: string;
  readonly eventTime: EpochMs;
  readonly acceptedAt: number;
  /** Moment when the log had it durably; null while it hasn't, or if it refused it. */
  readonly durableAt: number | null;
  /** The reason why the log didn't take it. */
  readonly error: string | null;
  /** The id of its trace; left out: it has none. */
  readonly trace?: string;
}

/** The account of a worker that handled it. Moments are epoch milliseconds with a fraction, by the worker's clock. */
export interface ProbeHandled {
  readonly worker: string;
  readonly partition: number;
  readonly offset: number;
  readonly takenAt: number;
  /** Ends of the stages it has gone through, by their name. */
  readonly ends: Readonly<Partial<Record<ProbeStage, number>>>;
  /** The stage that failed last, when the batch has to come again. */
  readonly failing: { readonly stage: ProbeStage; readonly error: string } | null;
  /** True if it was handled and did not become readings. */
  readonly refused: boolean;
  /** True if the frame that held it could not be sent. */
  readonly frameLost: boolean;
}
