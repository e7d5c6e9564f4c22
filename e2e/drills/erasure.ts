import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import type { ErasuresAnswer } from "@/server/contracts/removals";
import pino from "pino";
import { startEmbeddedPostgres } from "@/server/postgres/embedded/embedded-postgres";
import { withClient } from "@/server/postgres/migrate";
import { runProduct } from "../product";
import { until } from "../waiting";
import { createChecks } from "./checks";
import { DRILL_OPTIONS, readMode } from "./drill";
import type { EngineMode } from "./drill-engines";
import { drained } from "./pipeline";
import { MAPPING, readRecording } from "./recording";
import { openStage, type Stage } from "./stage";

const FILE = "e2e/fixtures/environment.ndjson";

interface Kept {
  readonly device: string;
  readonly readings: number;
  readonly sum: number;
}

export async function main(argv: string[]): Promise<number> {
  const options = { ...DRILL_OPTIONS, file: { type: "string", default: FILE } } as const;
  const { values } = parseArgs({ args: argv, options });
  return erasure(readMode(values.engines), values.file);
}

/**
 * Erases one device of a recording on the running product: the proof finds nothing in any store, a scan of every table and, of the embedded
 * PostgreSQL, of its files neither, the other devices are exact, a late message isn't stored, and the audit record verifies.
 */
async function erasure(mode: EngineMode, file: string): Promise<number> {
  const recording = readRecording(file);
  const checks = createChecks(`erasure on ${mode} engines`);
  const stage = await openStage(mode, "plain");
  const isEmbedded = stage.engines.postgres === undefined;
  let needle: string | null = null;
  try {
    const { product } = stage;
    const replay = ["replay", recording.file, ...MAPPING, "--speed", "max", "--url", product.url];
    const replayed = await runProduct(replay, { FIELDWATCH_DATA_DIR: product.dataDir });
    checks.equal("the recording is replayed", replayed.code, 0);
    await drained(product, recording.messages);
    const [gone, ...others] = [...recording.twins.keys()].sort() as [string, ...string[]];
    const before = await keptOf(stage, others);
    checks.that("its name is in tables before", (await tablesWith(stage, gone)).length > 0);

    const asked = await product.fetch(`/api/v1/devices/${encodeURIComponent(gone)}?erase=true`, { method: "DELETE" });
    checks.equal("the erasure is taken", asked.status, 202);
    const late = { device: gone, time: new Date().toISOString(), readings: { temp: 20 } };
    const sent = await product.fetch("/api/v1/telemetry", { method: "POST", body: JSON.stringify(late) });
    checks.equal("a late message is taken", sent.status, 202);
    await drained(product, recording.messages + 1);
    let proof: ErasuresAnswer["items"][number] | undefined;
    await until(
      async () => {
        [proof] = (await product.get<ErasuresAnswer>("/api/v1/erasures")).items;
        return proof?.state === "proven";
      },
      { timeoutMs: 180_000, what: "the proof" },
    );
    checks.equal(
      "the proof found nothing in any store",
      proof!.stores.map(({ store, left }) => [store, left]).filter(([, left]) => left !== 0),
      [],
    );
    checks.that(
      "of each store it is said what was taken out",
      true,
      proof!.stores.map(({ store, erased }) => `${store} ${erased}`).join(", "),
    );
    checks.equal("the late message was dropped", proof!.dropped, 1);
    checks.equal("a scan of every table finds nothing", await tablesWith(stage, gone), []);
    checks.equal("the others are exact", await keptOf(stage, others), before);
    needle = gone;
    const verified = await runProduct(["audit-verify"], { FIELDWATCH_DATA_DIR: product.dataDir, ...stage.engines.env });
    checks.that("the audit record verifies", verified.code === 0, verified.output.slice(-300).trim());
    checks.that(
      "what remains is told",
      proof!.remains.length > 0,
      proof!.remains.map(({ what, until: end }) => `${what}${end === null ? "" : ` until ${end}`}`).join("; "),
    );
  } catch (error) {
    checks.that("it goes through", false, (error as Error).stack ?? String(error));
  } finally {
    await stage.close();
  }
  if (isEmbedded && needle !== null)
    checks.equal("the files of PostgreSQL's tables have nothing", await filesWith(stage.product.dataDir, needle), []);
  const code = checks.finish();
  if (code === 0) stage.remove();
  else console.log(`Kept for a look: ${stage.folder}`);
  return code;
}

/** Readings of devices, and what they add up to, with their messages in the archive. */
async function keptOf(stage: Stage, devices: readonly string[]): Promise<(Kept & { messages: number })[]> {
  const rows = await withClient(stage.connectionString(), async (client) => {
    const { rows: found } = await client.query<Kept>(
      `SELECT device, count(*)::integer AS readings, sum(value ORDER BY metric, time) AS sum FROM reading WHERE device = ANY ($1) GROUP BY device ORDER BY device`,
      [devices],
    );
    return found;
  });
  const kept: (Kept & { messages: number })[] = [];
  for (const row of rows) {
    let messages = 0;
    for (let cursor: string | null = ""; cursor !== null;) {
      const query: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page: { items: unknown[]; next: string | null } = await stage.product.get(
        `/api/v1/devices/${encodeURIComponent(row.device)}/messages?limit=100${query}`,
      );
      messages += page.items.length;
      cursor = page.next;
    }
    kept.push({ ...row, messages });
  }
  return kept;
}

/** The tables whose rows have the text, or its bytes. */
async function tablesWith(stage: Stage, text: string): Promise<string[]> {
  return withClient(stage.connectionString(), async (client) => {
    const { rows: tables } = await client.query<{ name: string }>(
      "SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1",
    );
    const found: string[] = [];
    for (const { name } of tables) {
      const { rows } = await client.query<{ n: number }>(
        `SELECT count(*)::integer AS n FROM ${name} t WHERE strpos(t::text, $1) > 0 OR strpos(t::text, $2) > 0`,
        [text, Buffer.from(text).toString("hex")],
      );
      if (rows[0]!.n > 0) found.push(`${name} ${rows[0]!.n}`);
    }
    return found;
  });
}

/** The files of tables that have the text, once every table was written anew. The write-ahead log is left out: it is overwritten as PostgreSQL goes on. */
async function filesWith(dataDir: string, text: string): Promise<string[]> {
  const embedded = await startEmbeddedPostgres({ dataDir, logger: pino({ level: "silent" }) });
  await withClient(embedded.ownerConnectionString, (client) => client.query("VACUUM FULL"));
  // Ended, it has written everything to its files.
  await embedded.stop();
  return readdirSync(dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.parentPath.includes(`${path.sep}base${path.sep}`))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file).includes(text));
}
