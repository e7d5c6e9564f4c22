import pino from "pino";
import { composeEngines } from "@/server/compose";
import { composeApi, composePipelineState } from "@/server/compose-web";
import { loadConfig } from "@/server/config/config";
import { SYSTEM } from "@/server/domain/access";
import { createPrismaClient } from "@/server/postgres/prisma";

/** The routes over a database, without a web server: what is timed is the answer. Health is none of them. `close` ends its connections. */
export async function composeApiAlone(databaseUrl: string) {
  const logger = pino({ level: "silent" });
  const config = loadConfig({ DATABASE_URL: databaseUrl }, "");
  const engines = await composeEngines(config, "bench", logger);
  const prisma = createPrismaClient(engines.pool);
  const api = composeApi({
    ...{ config, engines, prisma, logger, callerOf: () => Promise.resolve(SYSTEM), version: "0" },
    pipelineState: composePipelineState(engines, { staleSeconds: 60, now: Date.now, onLogError: () => {} }),
    health: { answer: () => Promise.reject(new Error("not asked")) as never },
  });
  return {
    api,
    async close() {
      await prisma.$disconnect();
      await engines.close();
    },
  };
}
