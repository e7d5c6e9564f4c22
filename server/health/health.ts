import type { HealthAnswer } from "@/server/contracts/health";
import type { PipelineState } from "@/server/domain/pipeline-state";
import type { EpochMs } from "@/server/domain/terms";
import { healthSummary } from "./details";
import { startMonitor, worst } from "./monitor";
import type { Probe } from "./probe";
import { verdict, verdictParts, type VerdictNumbers } from "./verdict";

export interface HealthDeps {
  readonly probes: readonly Probe[];
  readonly jobs: () => HealthAnswer["jobs"];
  readonly pipelineState: () => Promise<PipelineState>;
  readonly engines: HealthAnswer["engines"];
  readonly version: string;
  /** Hosts and users of the configuration, which only administrators are told. */
  readonly privateNames: readonly string[];
  readonly everyMs: number;
  readonly now: () => EpochMs;
}

/** The health of everything, asked in the background so that answers are ready even while engines hang. */
export interface Health {
  /** @param details whether it is for somebody who is told of hosts, versions, files and settings. */
  answer(details: boolean): HealthAnswer;
  onChange(listener: () => void): () => void;
  firstRound(): Promise<void>;
  stop(): void;
}

export function startHealth({ probes, jobs, pipelineState, engines, version, ...deps }: HealthDeps): Health {
  const { privateNames, everyMs, now } = deps;
  let numbers: VerdictNumbers = null;
  const watched: Probe = {
    name: "pipeline.numbers",
    title: "Numbers can be read",
    group: "Pipeline",
    timeoutMs: 4000,
    async run() {
      const { lagSeconds, devices } = await pipelineState().catch((error: unknown) => {
        numbers = null;
        throw error;
      });
      numbers = { lagSeconds, devices };
      return {
        status: "pass",
        summary: `${devices.live} of ${Object.values(devices).reduce((a, b) => a + b, 0)} devices are live.`,
      };
    },
  };
  const monitor = startMonitor([...probes, watched], { everyMs, now });
  return {
    answer(details) {
      const results = [...monitor.results()];
      const answer: HealthAnswer = {
        status: worst(results.map(({ status }) => status)),
        verdict: verdict(results, numbers),
        parts: verdictParts(results, numbers),
        time: new Date(now()).toISOString(),
        version,
        leftOut: null,
        engines,
        probes: results,
        jobs: jobs(),
      };
      return details ? answer : healthSummary(answer, privateNames);
    },
    onChange: monitor.onChange,
    firstRound: monitor.firstRound,
    stop: monitor.stop,
  };
}
