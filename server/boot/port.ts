import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "@/server/config/config";
import { errorCode } from "@/server/postgres/start-error";
import { explainListen } from "./explain";

/** Checks that the dashboard's port can be had, before anything is started. @throws StartError when it is still taken after `waitMs`. */
export async function refusePort(config: Config, waitMs: number): Promise<void> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const error = await tryListen(config.server.HOST, config.server.PORT);
    if (error === undefined) return;
    if (errorCode(error) !== "EADDRINUSE" || performance.now() > deadline) throw explainListen(error, config) ?? error;
    await delay(200);
  }
}

function tryListen(host: string, port: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", resolve);
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}
