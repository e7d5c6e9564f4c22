import { mkdirSync } from "node:fs";
import path from "node:path";
import { MongoClient } from "mongodb";
import { type Engine, engineFolder, launchLogged, startEngine, untilAnswers } from "./engine";
import { prepareJava } from "./java";
import { freePort } from "./ports";
import { prepareSecantus } from "./secantus";

/** A server that speaks MongoDB's protocol: mongo-java-server on an H2 file, not crash-safe, or SecantusDB. See docs/engines.md. */
export interface MongoServer extends Engine {
  /** Names the database `fieldwatch`; stays the same over stop and start. */
  readonly uri: string;
  /** From its next start on it lets in only those who sign in, by SCRAM-SHA-256. For one that may be killed. */
  demandSignIn(): void;
}

export interface MongoOptions {
  /** True: SecantusDB, which is slower and survives kill -9. */
  readonly killable?: boolean;
  /** Kept after the end. Not given: a temporary folder. */
  readonly dataDir?: string;
  /** A free port if left out. */
  readonly port?: number;
  /** More environment of its process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called with a line about anything that takes long. */
  readonly say?: (line: string) => void;
}

/** Starts the server and waits until it answers. @throws EnginesMissing without Java and Maven, or Python; StartError when it doesn't start. */
export async function startMongo(options: MongoOptions = {}): Promise<MongoServer> {
  const commandOf = options.killable ? await secantusCommand(options) : await javaCommand(options);
  const port = options.port ?? (await freePort());
  const folder = engineFolder("mongodb", options.dataDir);
  mkdirSync(folder.dataDir, { recursive: true });
  const logFile = path.join(folder.dataDir, "mongodb.log");
  const uri = `mongodb://127.0.0.1:${port}/fieldwatch`;
  let wantsSignIn = false;
  const engine = await startEngine({
    folder,
    stopSignal: "TERM",
    logFile,
    async launch(onLaunch) {
      const { program, args, env } = commandOf(folder.dataDir, port);
      const launched = launchLogged(program, [...args, ...(wantsSignIn ? ["--auth"] : [])], {
        logFile,
        env: { ...env, ...options.env },
      });
      onLaunch(launched);
      await untilAnswers("The MongoDB-wire server", launched, logFile, () => answers(uri, launched.pid));
    },
  });
  return Object.assign(Object.create(engine) as Engine, { uri, demandSignIn: () => void (wantsSignIn = true) });
}

interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

async function javaCommand({ say }: MongoOptions): Promise<(dataDir: string, port: number) => Command> {
  const { program, classPath } = await prepareJava(say);
  const settings = ["-Xmx512m", "-Dlog4j2.level=INFO", "-cp", classPath, "MongoServerLauncher"];
  return (dataDir, port) => ({
    program,
    args: [...settings, path.join(dataDir, "mongodb.mv"), "127.0.0.1", String(port)],
  });
}

async function secantusCommand({ say }: MongoOptions): Promise<(dataDir: string, port: number) => Command> {
  const { program, args, env } = await prepareSecantus(say);
  return (dataDir, port) => ({
    program,
    args: [...args, "--port", String(port), "--storage-path", path.join(dataDir, "wiredtiger"), "--sync-on-commit"],
    env,
  });
}

/** True if it answers, and not another one that has the port. */
async function answers(uri: string, pid: number): Promise<boolean> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 1000, connectTimeoutMS: 1000 });
  try {
    return (await client.db().command({ serverStatus: 1 })).pid === pid;
  } catch (error) {
    // Who wants a sign-in first answers, too.
    return (error as { code?: unknown }).code === 13;
  } finally {
    await client.close();
  }
}
