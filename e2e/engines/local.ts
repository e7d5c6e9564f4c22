import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { ownerOf, takeOwnership } from "@/server/postgres/embedded/owner";
import { StartError } from "@/server/postgres/start-error";
import { type RunningEngines, startEngines } from "./engines";
import { ENGINES_DIR } from "./java";
import { isFree } from "./ports";

const NAMES = ["kafka", "mongodb", "postgres"] as const;
type Name = (typeof NAMES)[number];

/** The ports each engine usually listens on. */
const USUAL_PORTS: Record<Name, number> = { kafka: 9092, mongodb: 27017, postgres: 5432 };

const USAGE = `npm run engines [-- [kafka] [mongodb] [postgres] [options]]
Starts the named engines, or all three.
  --kafka-port, --mongodb-port, --postgres-port <port>   9092, 27017 and 5432, or the next free ones
  --data <folder>   where their data is kept from run to run; .engines/data
  --fresh           removes that data first`;

/** The engines of `npm run engines` and `npm run start:engines`: usual ports, data kept from run to run. */
export interface LocalEngines extends RunningEngines {
  /** For a person: where they are, and the variables as lines to copy. */
  readonly summary: string;
  /** Resolves with the name of the first one that ends. */
  readonly ended: Promise<Name>;
}

/** Starts the engines that the arguments name. @throws StartError, EnginesMissing, each with the fix. */
export async function startLocalEngines(argv: readonly string[], say: (line: string) => void): Promise<LocalEngines> {
  const { names, ports, dataDir, fresh } = readArguments(argv);
  const owner = ownerOf(dataDir);
  if (owner !== undefined)
    throw new StartError(
      "These engines run already",
      `Process ${owner} runs engines on ${dataDir}.`,
      `Use those, stop them (Ctrl-C where they run, or: kill ${owner}), or give these a folder: --data <folder>`,
    );
  mkdirSync(dataDir, { recursive: true });
  const release = takeOwnership(dataDir);
  try {
    if (fresh) for (const name of names) rmSync(path.join(dataDir, name), { recursive: true, force: true });
    const optionsOf = async (name: Name) =>
      names.includes(name) && { dataDir: path.join(dataDir, name), port: await portFor(name, ports[name]), say };
    const engines = await startEngines({
      kafka: await optionsOf("kafka"),
      mongodb: await optionsOf("mongodb"),
      postgres: await optionsOf("postgres"),
    });
    const ends = NAMES.flatMap((name) => engines[name]?.ended.then(() => name) ?? []);
    return {
      ...engines,
      summary: summaryOf(engines, dataDir),
      ended: Promise.race(ends),
      async stop() {
        await engines.stop();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** Explains a failed start in the terminal; anything but an explained error is thrown on. */
export function explainFailure(error: unknown): string {
  if (!(error instanceof StartError)) throw error;
  const indent = (text: string) => text.replace(/^(?=.)/gm, "  ");
  return `\n  ${error.what}\n\n${indent(error.why)}\n\n  How to fix it:\n${indent(indent(error.fix))}\n\n`;
}

function readArguments(argv: readonly string[]): {
  names: readonly Name[];
  ports: Partial<Record<Name, number>>;
  dataDir: string;
  fresh: boolean;
} {
  const wrong = (why: string) => new StartError("These arguments aren't understood", why, USAGE);
  const text = { type: "string" } as const;
  const options = {
    ...{ "kafka-port": text, "mongodb-port": text, "postgres-port": text, data: text },
    fresh: { type: "boolean" },
  } as const;
  let parsed;
  try {
    parsed = parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (error) {
    throw wrong((error as Error).message);
  }
  const { values, positionals } = parsed;
  const unknown = positionals.find((word) => !(NAMES as readonly string[]).includes(word));
  if (unknown !== undefined) throw wrong(`There is no engine "${unknown}".`);
  const ports: Partial<Record<Name, number>> = {};
  for (const name of NAMES) {
    const given = values[`${name}-port`];
    if (given === undefined) continue;
    const port = Number(given);
    if (!Number.isInteger(port) || port < 1 || port > 65535) throw wrong(`--${name}-port ${given} is not a port.`);
    ports[name] = port;
  }
  return {
    names: positionals.length > 0 ? NAMES.filter((name) => positionals.includes(name)) : NAMES,
    ports,
    dataDir: path.resolve(values.data ?? path.join(ENGINES_DIR, "data")),
    fresh: values.fresh === true,
  };
}

async function portFor(name: Name, given: number | undefined): Promise<number> {
  if (given !== undefined) {
    if (await isFree(given)) return given;
    throw new StartError(
      `Port ${given} is taken`,
      `Another program listens on 127.0.0.1:${given}.`,
      `Stop it, leave --${name}-port out, or name another port.`,
    );
  }
  const usual = USUAL_PORTS[name];
  for (let port = usual; port < usual + 100; port++) if (await isFree(port)) return port;
  throw new StartError(
    `No port is free for ${name}`,
    `${usual} to ${usual + 99} are all taken.`,
    `Name a free one: --${name}-port <port>`,
  );
}

function summaryOf({ env, kafka, mongodb, postgres }: RunningEngines, dataDir: string): string {
  const words = [
    kafka && "Apache Kafka",
    mongodb && "a MongoDB-wire server (mongo-java-server, not for data you can't lose)",
    postgres && "PostgreSQL",
  ].filter((word) => word !== undefined);
  const list = words.length > 1 ? `${words.slice(0, -1).join(", ")} and ${words.at(-1)}` : words[0];
  const lines = Object.entries(env).map(([name, value]) => `    export ${name}=${value}`);
  return `\n  Running: ${list}.\n  Data and logs: ${dataDir}\n\n${lines.join("\n")}\n`;
}
