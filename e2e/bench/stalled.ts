import { signatureOf, SYSTEM } from "@/server/domain/access";
import { connect, type Socket } from "node:net";
import { parseArgs } from "node:util";
import pino from "pino";
import { freePort } from "@/e2e/product";
import { makeKey } from "@/server/access/keys";
import { composeEngines, topicSettings } from "@/server/compose";
import { loadConfig } from "@/server/config/config";
import { migrate } from "@/server/postgres/migrate";
import { createPrismaClient } from "@/server/postgres/prisma";
import { runWeb } from "@/server/web";
import { machine, markdownTable } from "./report";
import { scratchPostgres } from "./scratch-postgres";

const QUIET_MS = 250;

/**
 * Holds many half-sent bodies of one key open, and measures how soon another key is answered, and how often with 429. Pages must be built. Prints p50 and
 * p99 with and without them, and fails above 250 ms or with a 429.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: { bodies: { type: "string", default: "200" }, requests: { type: "string", default: "500" } },
  });
  const [bodies, requests] = [Number(values.bodies), Number(values.requests)];
  const postgres = await scratchPostgres();
  try {
    await migrate(postgres.connectionString);
    const logger = pino({ level: "silent" });
    const port = await freePort();
    const config = loadConfig({ DATABASE_URL: postgres.connectionString, PORT: String(port) }, "");
    const engines = await composeEngines(config, "bench", logger);
    await engines.eventLog.ensureTopics(topicSettings(config));
    const prisma = createPrismaClient(engines.pool);
    const keyFor = async (name: string) => {
      const wanted = { kind: "site", name, device: null, networks: [], expiresAt: null, grants: [] } as const;
      return (await makeKey(prisma, wanted, signatureOf(SYSTEM))).text;
    };
    const [stalling, other] = [await keyFor("stalling"), await keyFor("other")];
    await prisma.$disconnect();
    await engines.close();
    const web = await runWeb(config, logger);

    const stalled = (i: number): Promise<Socket> =>
      new Promise((resolve, reject) => {
        const bytes = Math.round(2_000_000 / (1 + (i % 3)));
        const head = `POST /api/v1/telemetry HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\nAuthorization: Bearer ${stalling}\r\n`;
        const socket = connect({ host: "127.0.0.1", port }, () => {
          socket.write(`${head}Content-Length: 8000000\r\n\r\n`);
          socket.write(Buffer.alloc(bytes, "["), () => resolve(socket));
        });
        socket.once("error", reject).resume();
      });
    const measure = async () => {
      const times: number[] = [];
      let refused = 0;
      for (let i = 0; i < requests; i++) {
        const began = performance.now();
        const answer = await fetch(`http://127.0.0.1:${port}/api/v1/telemetry`, {
          method: "POST",
          headers: { "content-type": "application/json", authorization: `Bearer ${other}` },
          body: JSON.stringify({ device: "press-1", time: Date.now(), readings: { t: i } }),
        });
        await answer.arrayBuffer();
        times.push(performance.now() - began);
        if (answer.status === 429) refused++;
        else if (answer.status !== 202) throw new Error(`answered ${answer.status}`);
      }
      times.sort((a, b) => a - b);
      const at = (share: number) => times[Math.floor(share * (times.length - 1))]!;
      return { p50: at(0.5), p99: at(0.99), refused };
    };
    await measure();
    const quiet = await measure();
    const sockets = await Promise.all(Array.from({ length: bodies }, (_, i) => stalled(i)));
    const beside = await measure();
    for (const socket of sockets) socket.destroy();
    await web.stop();
    console.log(`${machine()}; ${bodies} half-sent bodies of one key, ${requests} requests of another\n`);
    const row = (what: string, { p50, p99, refused }: typeof quiet) => [
      ...[what, p50.toFixed(1), p99.toFixed(1), String(refused)],
    ];
    console.log(
      markdownTable(["", "p50 ms", "p99 ms", "429"], [row("without them", quiet), row("beside them", beside)]),
    );
    return beside.p99 < QUIET_MS && beside.refused === 0 ? 0 : 1;
  } finally {
    await postgres.stop();
  }
}
