import { discardDeadLetter, restoreDeadLetter } from "./dead-letters/decide";
import { getDeadLetter } from "./dead-letters/get";
import { listDeadLetterGroups } from "./dead-letters/groups";
import { getDeadLetterJob, listDeadLetterJobs, stopDeadLetterJob } from "./dead-letters/jobs";
import { listDeadLetters } from "./dead-letters/list";
import { replayDeadLetter } from "./dead-letters/replay";
import { startDeadLetterJob } from "./dead-letters/start-job";
import { downloadCsv, downloadJson } from "./devices/download";
import { getDevice } from "./devices/get";
import { listDevices } from "./devices/list";
import { listMessages } from "./devices/messages";
import { listReadings } from "./devices/readings";
import { updateDevice } from "./devices/update";
import { exportDevices } from "./fleet/csv";
import { getFleetOrder } from "./fleet/order";
import { listSparklines } from "./fleet/sparklines";
import { getFleetSummary } from "./fleet/summary";
import { getHealth } from "./health/get";
import { getLive } from "./health/live";
import { getReady } from "./health/ready";
import { listMetrics } from "./metrics/list";
import { getPipeline } from "./pipeline/get";
import { ingestTelemetry } from "./telemetry/ingest";

/** Every verb there is, by the name routes call it. */
export const VERBS = {
  ingestTelemetry,
  listDevices,
  exportDevices,
  getFleetOrder,
  getFleetSummary,
  listSparklines,
  getDevice,
  updateDevice,
  listReadings,
  downloadCsv,
  downloadJson,
  listMessages,
  listMetrics,
  listDeadLetters,
  listDeadLetterGroups,
  getDeadLetter,
  replayDeadLetter,
  discardDeadLetter,
  restoreDeadLetter,
  listDeadLetterJobs,
  startDeadLetterJob,
  getDeadLetterJob,
  stopDeadLetterJob,
  getPipeline,
  getHealth,
  getLive,
  getReady,
} as const;

export type VerbName = keyof typeof VERBS;

type Both<T> = (T extends unknown ? (value: T) => void : never) extends (value: infer I) => void ? I : never;

/** What all verbs together depend on. */
export type ApiDeps = Both<Parameters<(typeof VERBS)[VerbName]["create"]>[0]>;
