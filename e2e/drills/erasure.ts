import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import type { ErasuresAnswer, PersonErasure } from "@/server/contracts/removals";
import type { SitesAnswer } from "@/server/contracts/sites";
import pino from "pino";
import { startEmbeddedPostgres } from "@/server/postgres/embedded/embedded-postgres";
import { withClient } from "@/server/postgres/migrate";
import { runProduct } from "../product";
import { until } from "../waiting";
import { type Checks, createChecks } from "./checks";
import { DRILL_OPTIONS, readMode } from "./drill";
import type { EngineMode } from "./drill-engines";
import { drained } from "./pipeline";
import { MAPPING, readRecording } from "./recording";
import { openStage, type Stage } from "./stage";
import { collectionsWith } from "./stored";

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

/** Whose devices go: by a label of one, and by their site. */
const PERSON = "Ada Byron-Quill";
const AT_HOME = ["ada-quill-meter-1", "ada-quill-meter-2"];

/**
 * Erases one device of a recording on the running product, then all devices of a person, another of the recording among them: the proofs find nothing in
 * any store, a scan of every table, collection and message of the archive and, of the embedded PostgreSQL, of its files neither, the other devices are
 * exact, late messages aren't stored, and the audit record verifies.
 */
async function erasure(mode: EngineMode, file: string): Promise<number> {
  const recording = readRecording(file);
  const checks = createChecks(`erasure on ${mode} engines`);
  const stage = await openStage(mode, "plain");
  const isEmbedded = stage.engines.postgres === undefined;
  const needles: string[] = [];
  try {
    const { product } = stage;
    const replay = ["replay", recording.file, ...MAPPING, "--speed", "max", "--url", product.url];
    const replayed = await runProduct(replay, { FIELDWATCH_DATA_DIR: product.dataDir });
    checks.equal("the recording is replayed", replayed.code, 0);
    await drained(product, recording.messages);
    const [gone, ...others] = [...recording.twins.keys()].sort() as [string, ...string[]];
    const before = await keptOf(stage, others);
    checks.that("its name is in tables before", (await tablesWith(stage, gone)).length > 0);
    if (stage.engines.mongodb)
      checks.that("its name is in collections before", (await collectionsWith(stage, gone)).length > 1);

    const asked = await product.fetch(`/api/v1/devices/${encodeURIComponent(gone)}?erase=true`, { method: "DELETE" });
    checks.equal("the erasure is taken", asked.status, 202);
    const late = { device: gone, time: new Date().toISOString(), readings: { temp: 20 } };
    const sent = await product.fetch("/api/v1/telemetry", { method: "POST", body: JSON.stringify(late) });
    checks.equal("a late message is taken", sent.status, 202);
    await drained(product, recording.messages + 1);
    const [proof] = await proven(stage, "");
    checks.equal("the proof found nothing in any store", leftIn([proof!]), []);
    checks.that(
      "of each store it is said what was taken out",
      true,
      proof!.stores.map(({ store, erased }) => `${store} ${erased}`).join(", "),
    );
    checks.equal("the late message was dropped", proof!.dropped, 1);
    checks.equal("a scan of every table finds nothing", await tablesWith(stage, gone), []);
    checks.equal("a scan of every collection finds nothing", await collectionsWith(stage, gone), []);
    checks.equal("the others are exact", await keptOf(stage, others), before);
    needles.push(gone);
    needles.push(...(await eraseThePerson(checks, stage, others)));
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
  if (isEmbedded && needles.length > 0)
    checks.equal("the files of PostgreSQL's tables have nothing", await filesWith(stage.product.dataDir, needles), []);
  const code = checks.finish();
  if (code === 0) stage.remove();
  else console.log(`Kept for a look: ${stage.folder}`);
  return code;
}

/** The erasures of a search, once all of them are proven. */
async function proven({ product }: Stage, search: string): Promise<ErasuresAnswer["items"]> {
  let items: ErasuresAnswer["items"] = [];
  await until(
    async () => {
      ({ items } = await product.get<ErasuresAnswer>(`/api/v1/erasures${search}`));
      return items.length > 0 && items.every(({ state }) => state === "proven");
    },
    { timeoutMs: 180_000, what: "the proof" },
  );
  return items;
}

const leftIn = (proofs: ErasuresAnswer["items"]) =>
  proofs.flatMap(({ stores }) => stores.filter(({ left }) => left !== 0).map(({ store, left }) => `${store} ${left}`));

/** Erases all devices of a person in one step: two of their site's, and the first of `known`, which their label makes theirs. @returns names that are gone */
async function eraseThePerson(checks: Checks, stage: Stage, known: readonly string[]): Promise<readonly string[]> {
  const { product } = stage;
  const [labelled, ...others] = known as [string, ...string[]];
  const change = async (method: string, route: string, body: unknown) => {
    const answer = await product.fetch(route, { method, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${method} ${route}: ${answer.status} ${await answer.text()}`);
    return answer;
  };
  const messages = AT_HOME.map((device, i) => ({
    ...{ device, site: "Home 4", time: new Date(Date.now() - 60_000).toISOString() },
    // The second's name is among the dead letters, too.
    readings: { temp: 20 + i, ...(i === 1 && { odd: { of: device } }) },
  }));
  await change("POST", "/api/v1/telemetry", messages);
  const siteOf = async () =>
    (await product.get<SitesAnswer>("/api/v1/sites")).items.find(({ name }) => name === "Home 4");
  await until(async () => ((await siteOf())?.devices ?? 0) === AT_HOME.length, {
    timeoutMs: 60_000,
    what: "their site",
  });
  await change("PATCH", `/api/v1/sites/${(await siteOf())!.id}`, { person: PERSON });
  await change("PATCH", `/api/v1/devices/${encodeURIComponent(labelled)}`, { labels: { person: PERSON } });
  const before = await keptOf(stage, others);
  const person = `person=${encodeURIComponent(PERSON)}`;
  const told = await product.get<PersonErasure>(`/api/v1/erasures/preview?${person}`);
  const names = told.devices.map(({ name }) => name);
  checks.equal("the person's devices", names.toSorted(), [...AT_HOME, labelled].toSorted());
  const asked = await change("POST", "/api/v1/erasures", { person: PERSON, devices: names });
  const request = ((await asked.json()) as ErasuresAnswer).items[0]!.request;
  await change("POST", "/api/v1/telemetry", messages);
  const proofs = await proven(stage, `?request=${request}`);
  checks.equal("each of the person's devices has a proof", proofs.length, names.length);
  checks.equal("the proofs found nothing in any store", leftIn(proofs), []);
  for (const gone of [...names, PERSON]) {
    checks.equal(`a scan of every table finds no ${gone}`, await tablesWith(stage, gone), []);
    checks.equal(`a scan of every collection finds no ${gone}`, await collectionsWith(stage, gone), []);
  }
  const dropped = async () =>
    (await product.get<ErasuresAnswer>(`/api/v1/erasures?request=${request}`)).items.reduce(
      (n, one) => n + one.dropped,
      0,
    );
  await until(async () => (await dropped()) === messages.length, {
    timeoutMs: 60_000,
    what: "late messages to be dropped",
  });
  checks.equal("their late messages were dropped", await dropped(), messages.length);
  checks.equal("what isn't theirs is exact", await keptOf(stage, others), before);
  if (stage.engines.kafka)
    checks.that(
      "until when Kafka has their messages is told",
      proofs.every(({ remains }) => remains.some(({ what, until: end }) => /Kafka/.test(what) && end !== null)),
      proofs[0]!.remains.map(({ what, until: end }) => `${what} until ${end}`).join("; "),
    );
  return [...names, PERSON];
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

/** The files of tables that have one of the texts, once every table was written anew. The write-ahead log is left out: it is overwritten as PostgreSQL goes on. */
async function filesWith(dataDir: string, texts: readonly string[]): Promise<string[]> {
  const embedded = await startEmbeddedPostgres({ dataDir, logger: pino({ level: "silent" }) });
  await withClient(embedded.ownerConnectionString, (client) => client.query("VACUUM FULL"));
  // Ended, it has written everything to its files.
  await embedded.stop();
  return readdirSync(dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.parentPath.includes(`${path.sep}base${path.sep}`))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => {
      const bytes = readFileSync(file);
      return texts.some((text) => bytes.includes(text));
    });
}
