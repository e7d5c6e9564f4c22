import { parseArgs } from "node:util";
import pino from "pino";
import { createAuthenticator } from "@/server/access/authenticate";
import { hashOf, newKey } from "@/server/access/secrets";
import { credentialsIn } from "@/server/api/address";
import { sessionCookie } from "@/server/api/access/cookie";
import type { Api } from "@/server/api/runtime";
import { composeEngines, topicSettings } from "@/server/compose";
import { composeApi, composePipelineState } from "@/server/compose-web";
import { loadConfig } from "@/server/config/config";
import { type Caller, SYSTEM } from "@/server/domain/access";
import { migrate } from "@/server/postgres/migrate";
import { createPrismaClient } from "@/server/postgres/prisma";
import { messageLine } from "./messages";
import { machine, markdownTable, median } from "./report";
import { scratchPostgres } from "./scratch-postgres";

const AT_ONCE = 32;

interface Message {
  readonly device: string;
  readonly readings: object;
}

/**
 * Compares ingest through the telemetry verb with keys, each request with another one, and without telling who sends; side by
 * side in one run. Prints requests/s and their ratio, and fails below 0.97.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      keys: { type: "string", default: "10000" },
      requests: { type: "string", default: "250" },
      messages: { type: "string", default: "10" },
      rounds: { type: "string", default: "200" },
    },
  });
  const [keys, requests, messages, rounds] = [values.keys, values.requests, values.messages, values.rounds].map(
    Number,
  ) as [number, number, number, number];
  const postgres = await scratchPostgres();
  try {
    await migrate(postgres.connectionString);
    const made = Array.from({ length: keys }, () => newKey("site"));
    await postgres.pool.query(
      `INSERT INTO access_key (id, kind, name, secret_hash, made_by) SELECT id, 'site', id, hash, 'bench' FROM unnest($1::text[], $2::bytea[]) k (id, hash)`,
      [made.map(({ id }) => id), made.map(({ secret }) => hashOf(secret))],
    );
    const logger = pino({ level: "silent" });
    const config = loadConfig({ DATABASE_URL: postgres.connectionString }, "");
    const engines = await composeEngines(config, "bench", logger);
    await engines.eventLog.ensureTopics(topicSettings(config));
    const prisma = createPrismaClient(engines.pool);
    const api = (callerOf: (request: Request) => Promise<Caller>) =>
      composeApi({
        ...{ config, engines, prisma, logger, callerOf, version: "0" },
        pipelineState: composePipelineState(engines, { staleSeconds: 60, now: Date.now, onLogError: () => {} }),
        health: { answer: () => Promise.reject(new Error("not asked")) as never },
      });
    const authenticator = createAuthenticator(engines.pool, sessionCookie(0).names);
    // The same way, up to where a key would be checked: also a request without one is read for what it shows.
    const without = api(async (request) => (credentialsIn(request), SYSTEM));
    const withKeys = api((request) => authenticator.callerOf(credentialsIn(request)));
    const rates = { without: [] as number[], withKeys: [] as number[] };
    // Of this process alone, in µs a request: what others of the machine do doesn't count.
    const cpu = { without: [] as number[], withKeys: [] as number[] };
    let sent = 0;
    const measure = async (to: Api, count = requests): Promise<number> => {
      const began = performance.now();
      const lane = async (from: number) => {
        for (let i = from; i < count; i += AT_ONCE) {
          sent += 1;
          const lines = Array.from(
            { length: messages },
            (_, m) => messageLine(sent * messages + m, Date.now()).line,
          ).join("\n");
          const headers = {
            "content-type": "application/x-ndjson",
            authorization: `Bearer ${made[sent % keys]!.text}`,
            "x-forwarded-for": "10.0.0.1",
          };
          const request = new Request("http://here/api/v1/telemetry", { method: "POST", body: lines, headers });
          const { status } = await to.handle("ingestTelemetry", request, {});
          if (status !== 202) throw new Error(`answered ${status}`);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => lane(i)));
      return count / ((performance.now() - began) / 1000);
    };
    // As long as a worker runs, what senders name is in the catalog.
    const named = Array.from({ length: 20_000 }, (_, i) => JSON.parse(messageLine(i, Date.now()).line) as Message);
    await postgres.pool.query(`INSERT INTO device (name) SELECT DISTINCT unnest($1::text[])`, [
      named.map(({ device }) => device),
    ]);
    await postgres.pool.query(`INSERT INTO metric (name, kind) SELECT DISTINCT unnest($1::text[]), 'number'`, [
      named.flatMap(({ readings }) => Object.keys(readings)),
    ]);
    // As the web process does, for what it may not have heard of.
    const sweep = setInterval(() => authenticator.forget("anything"), 60_000);
    // Each key is looked up once before, as that comes once in the life of a process.
    await measure(without, keys);
    await measure(withKeys, keys);
    for (let round = 0; round < rounds; round++) {
      // Taking turns at going first evens out what a warm cache or a busy neighbour gives one of them.
      for (const name of round % 2 === 0 ? (["without", "withKeys"] as const) : (["withKeys", "without"] as const)) {
        const before = process.cpuUsage();
        rates[name].push(await measure(name === "without" ? without : withKeys));
        const { user, system } = process.cpuUsage(before);
        cpu[name].push((user + system) / requests);
      }
    }
    clearInterval(sweep);
    await prisma.$disconnect();
    await engines.close();
    // Of each pair, as a neighbour of the machine slows both of one short round.
    const ratio = median(rates.withKeys.map((rate, i) => rate / rates.without[i]!));
    console.log(`${machine()}; ${keys} keys, ${requests} requests of ${messages} messages a round, ${rounds} rounds\n`);
    console.log(
      markdownTable(
        ["", "requests/s", "CPU of web, µs a request"],
        [
          ["nobody is told apart", median(rates.without).toFixed(0), median(cpu.without).toFixed(1)],
          ["each with a key", median(rates.withKeys).toFixed(0), median(cpu.withKeys).toFixed(1)],
          [
            "ratio, of each round",
            ratio.toFixed(3),
            median(cpu.withKeys.map((spent, i) => cpu.without[i]! / spent)).toFixed(3),
          ],
        ],
      ),
    );
    return ratio >= 0.97 ? 0 : 1;
  } finally {
    await postgres.stop();
  }
}
