import type { Config } from "./config/config";
import { openMetricsPort } from "./metrics-port";
import { pushMetrics } from "./metrics-push";
import type { Logger } from "./observability/logger";
import { createMetrics } from "./observability/metrics/metrics";
import { collectProcess } from "./observability/metrics/process-metrics";
import type { Running } from "./observability/running";
import { runSimulator } from "./simulator/run";

/** Runs the simulated fleet, and serves its metrics where METRICS_PORT is set. */
export async function runSimulatorRole(config: Config, logger: Logger): Promise<Running> {
  const metrics = createMetrics("simulator");
  const stopProcess = collectProcess(metrics);
  const port = await openMetricsPort(config, "simulator", metrics, logger);
  const pushed = pushMetrics(config, metrics, logger);
  const fleet = await runSimulator(config, logger, metrics);
  return {
    async stop() {
      await fleet.stop();
      await pushed.stop();
      await port?.stop();
      stopProcess();
    },
  };
}
