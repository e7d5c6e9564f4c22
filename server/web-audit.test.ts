import { signatureOf, SYSTEM } from "@/server/domain/access";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pino from "pino";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { cleanEnv, freePort } from "@/e2e/product";
import { type AuditRow, listDeeds } from "./access/audit/deeds";
import { makeKey } from "./access/keys";
import { makeLink } from "./access/links";
import { loadConfig } from "./config/config";
import { prismaIn } from "./postgres/prisma";
import { withTransaction } from "./postgres/transaction";
import { freshDatabase, type TestDatabase } from "./testing/database";
import { makeTopics } from "./testing/topics";
import { until } from "./testing/until";

// The pages and the program must be built: `npm test` sees to that.
let db: TestDatabase;
let folder: string;
const running = new Set<ChildProcess>();
beforeAll(async () => {
  db = await freshDatabase();
  folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-audit-"));
  await makeTopics(loadConfig({ DATABASE_URL: db.appUrl }, ""), pino({ level: "silent" }));
});
afterEach(() => Promise.all([...running].map((child) => end(child, "SIGTERM"))));
afterAll(async () => {
  await db?.drop();
  rmSync(folder, { recursive: true });
});

interface Role {
  readonly child: ChildProcess;
  readonly url: string;
  output(): string;
}

/** Starts a role of the built program on the test's database. */
async function start(role: string, env: Record<string, string> = {}): Promise<Role> {
  const port = await freePort();
  const child = spawn(process.execPath, ["dist/main.mjs", ...role.split(" ")], {
    env: { ...cleanEnv(), DATABASE_URL: db.appUrl, FIELDWATCH_DATA_DIR: folder, PORT: String(port), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return { child, url: `http://127.0.0.1:${port}`, output: () => output };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  running.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
}

const isUp = (url: string) => until(async () => (await fetch(`${url}/api/livez`)).ok, { timeoutMs: 60_000 });

async function newKey(role: "admin" | "viewer"): Promise<string> {
  return withTransaction(db.pool, async (tx) => {
    const wanted = { kind: "service", name: "test", device: null, networks: [], expiresAt: null } as const;
    return (await makeKey(prismaIn(tx), { ...wanted, grants: [{ role, siteId: null }] }, signatureOf(SYSTEM))).text;
  });
}

const deeds = (verb: string): Promise<AuditRow[]> =>
  listDeeds(db.pool, {
    ...{ actor: null, verb, target: null, outcome: null, from: null, to: null, before: null, limit: 1e6 },
  });

/** What the program has written into its folder, but for the key by which programs of the machine send. */
function filesOf(folder: string): string {
  return readdirSync(folder)
    .filter((name) => !["admin", "key", "ingest.key"].includes(name))
    .map((name) => readFileSync(path.join(folder, name), "utf8"))
    .join("");
}

const DEVICES = 8;

test("whoever kills web at any moment finds no change without its row, and no row without its change", async () => {
  await db.pool.query(`INSERT INTO device (name) SELECT 'd' || n FROM generate_series(1, ${DEVICES}) n`);
  const headers = { authorization: `Bearer ${await newKey("admin")}`, "content-type": "application/json" };
  const answered = new Map<string, string>();
  let sent = 0;
  for (let round = 0; round < 3; round++) {
    const { child, url } = await start("web");
    await isUp(url);
    let isDead = false;
    const change = async (device: string) => {
      while (!isDead) {
        const notes = `note ${++sent}`;
        const body = JSON.stringify({ notes });
        const answer = await fetch(`${url}/api/v1/devices/${device}`, { method: "PATCH", headers, body }).catch(
          () => null,
        );
        if (answer?.ok) answered.set(device, notes);
      }
    };
    const changing = Array.from({ length: DEVICES }, (_, n) => change(`d${n + 1}`));
    const before = answered.size === 0 ? 0 : sent;
    await until(() => sent - before > 30 + round * 7, { timeoutMs: 60_000 });
    await end(child, "SIGKILL");
    isDead = true;
    await Promise.all(changing);
    // What the killed connections had under way is over when PostgreSQL has noticed.
    await until(
      async () =>
        (
          await db.pool.query(
            "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'fieldwatch web%'",
          )
        ).rowCount === 0,
      { timeoutMs: 30_000 },
    );

    const { rows: found } = await db.pool.query<{ name: string; notes: string | null }>(
      "SELECT name, notes FROM device",
    );
    const told = await deeds("updateDevice");
    for (const { name, notes } of found) {
      const rows = told.filter(({ target }) => target === name).reverse();
      // Each row begins where the one before ended, and the last is what is there now.
      let at: string | null = null;
      for (const { detail } of rows) {
        const { before: was, after: is } = detail as Record<"before" | "after", { notes: string | null }>;
        expect([name, was.notes]).toEqual([name, at]);
        at = is.notes;
      }
      expect([name, notes]).toEqual([name, at]);
      const last = Number(answered.get(name)?.slice(5) ?? 0);
      expect(Number(notes?.slice(5) ?? 0)).toBeGreaterThanOrEqual(last);
    }
  }
  expect((await deeds("updateDevice")).length).toBeGreaterThan(DEVICES * 3);
}, 180_000);

test("secrets stand in no log, answer, record of the start or row, and a dump of the database signs nobody in", async () => {
  const databasePassword = "postgres-p1anted-5ecret";
  const planted = {
    ...{ kafkaPassword: "kafka-p1anted-5ecret", mongoPassword: "mongo-p1anted-5ecret", linkTried: "l".repeat(43) },
    ...{ adminPassword: "admin-p1anted-5ecret", ownPassword: "own-p1anted-5ecret-2", guess: "guess-p1anted-5ecret" },
    ...{ auditKey: "audit-p1anted-5ecret-of-40-characters-xx", ingestKey: `fws_${"a".repeat(12)}_${"s".repeat(49)}` },
    databasePassword,
    providerSecret: "provider-p1anted-5ecret",
    payload: "payload-p1anted-5ecret",
    ...{ headerKey: `fwk_${"b".repeat(12)}_${"t".repeat(49)}`, queryToken: "query-p1anted-5ecret" },
  };
  const file = (name: string, text: string) => {
    writeFileSync(path.join(folder, name), text, { mode: 0o600 });
    return path.join(folder, name);
  };
  // Whoever signs in to PostgreSQL by a password of the program's settings.
  const database = new URL(db.connectionString);
  const role = `secret_${database.pathname.slice(1)}`;
  await db.pool.query(`CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD '${databasePassword}'`);
  database.username = role;
  database.password = databasePassword;
  await db.pool.query("TRUNCATE account CASCADE");
  const env = {
    DATABASE_URL: database.href,
    ...{ LOG_LEVEL: "trace", LOG_FORMAT: "json", FIELDWATCH_KEY: planted.ingestKey },
    ...{ KAFKA_BROKERS: "127.0.0.1:1", KAFKA_SASL_MECHANISM: "plain", KAFKA_SASL_USERNAME: "fieldwatch" },
    ...{ KAFKA_SASL_PASSWORD: planted.kafkaPassword, ADMIN_EMAIL: "ada@example.com" },
    MONGODB_URI: `mongodb://fieldwatch:${planted.mongoPassword}@127.0.0.1:1/fieldwatch`,
    ...{
      OIDC_ISSUER: "https://127.0.0.1:1",
      OIDC_CLIENT_ID: "fieldwatch",
      OIDC_ROLES: "a=viewer",
      OIDC_CLIENT_SECRET: planted.providerSecret,
    },
    ADMIN_PASSWORD_FILE: file("admin", planted.adminPassword),
    FIELDWATCH_AUDIT_KEY_FILE: file("key", planted.auditKey),
  };
  const output: string[] = [];
  // The start that makes the first account, and fails for want of Kafka.
  const migrate = await start("migrate", env);
  await until(() => migrate.child.exitCode !== null, { timeoutMs: 60_000 });
  const web = await start("web", env);
  const worker = await start("worker", env);
  await isUp(web.url);

  const shown: string[] = [];
  const ask = async (route: string, init: RequestInit = {}, at = shown) => {
    const headers = { "content-type": "application/json", ...(init.headers as Record<string, string>) };
    const answer = await fetch(web.url + route, { ...init, headers });
    at.push(JSON.stringify([...answer.headers]), await answer.clone().text());
    return answer;
  };
  /** What only one answer may show: the one that makes it. */
  const once: string[] = [];
  const post = (route: string, body: object, headers: Record<string, string> = {}, at = shown) =>
    ask(route, { method: "POST", body: JSON.stringify(body), headers }, at);
  const signedIn = await post(
    "/api/v1/sign-in",
    { email: "ada@example.com", password: planted.adminPassword },
    {},
    once,
  );
  expect(signedIn.status).toBe(200);
  const cookie = signedIn.headers.get("set-cookie")!.split(";")[0]!;
  const link = await withTransaction(db.pool, async (tx) => {
    const { rows } = await tx.query<{ id: number }>("SELECT id FROM account");
    return makeLink(tx, rows[0]!.id);
  });
  const linked = await post("/api/v1/sign-in/link", { secret: link }, {}, once);
  const own = { cookie, origin: web.url };
  const made = (await (
    await post("/api/v1/keys", { kind: "service", name: "k", role: "admin" }, own, once)
  ).json()) as { text: string };
  const handed = (await (await post("/api/v1/users", { name: "Bob", role: "viewer" }, own, once)).json()) as {
    link: string;
  };
  await post("/api/v1/sign-in", { email: "ada@example.com", password: planted.guess });
  await post("/api/v1/sign-in/link", { secret: planted.linkTried });
  await ask("/api/v1/me", { headers: { authorization: `Bearer ${planted.headerKey}` } });
  await ask(`/api/v1/me?key=${planted.queryToken}`, { headers: { authorization: `Bearer ${made.text}` } });
  const changed = await post("/api/v1/me/password", { email: "ada@example.com", password: planted.ownPassword }, own);
  expect(changed.status).toBe(200);
  for (const route of [
    "me",
    "me/sessions",
    "users",
    "keys",
    "setup",
    "health",
    "audit?limit=500",
    "audit.csv",
    "pipeline",
    "jobs",
  ])
    expect([route, (await ask(`/api/v1/${route}`, { headers: own })).status]).toEqual([route, 200]);
  for (const page of ["/", "/audit", "/health", "/account", "/sign-in"]) await ask(page, { headers: own });
  // Neither what is sent stands there, taken or not.
  const reading = { device: "d1", time: new Date().toISOString(), readings: { temperature: planted.payload } };
  const unreadable = `{"device": ${planted.payload}}`;
  for (const body of [JSON.stringify([reading, { ...reading, time: planted.payload }]), unreadable])
    await ask("/api/v1/telemetry", { method: "POST", body, headers: { authorization: `Bearer ${made.text}` } }, []);
  // Sealed by the worker of the built program, whose job runs though Kafka and MongoDB are away.
  await until(async () => ((await db.pool.query("SELECT FROM audit_seal")).rowCount ?? 0) > 0, { timeoutMs: 60_000 });
  for (const { child } of [web, worker]) await end(child, "SIGTERM");
  for (const { output: said } of [migrate, web, worker]) output.push(said());
  expect(output.join("").length).toBeGreaterThan(1000);

  const secrets: Record<string, string> = {
    ...planted,
    ...{ session: cookie.split("=")[1]!, session2: /=([^;]+)/.exec(linked.headers.get("set-cookie")!)![1]!, link },
    ...{ key: made.text, keySecret: made.text.split("_").slice(2).join("_").slice(0, 43) },
    ...{
      handedLink: handed.link.split("#k=")[1]!,
      kafkaInBase64: Buffer.from(planted.kafkaPassword).toString("base64"),
    },
    ...{
      mongoInBase64: Buffer.from(planted.mongoPassword).toString("base64"),
      adminInHex: Buffer.from(planted.adminPassword).toString("hex"),
    },
  };
  expect(Object.keys(secrets).length).toBeGreaterThanOrEqual(20);
  const { rows: tables } = await db.pool.query<{ name: string }>(
    `SELECT format('%I', c.relname) AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'`,
  );
  const dump: string[] = [];
  for (const { name } of tables) dump.push(JSON.stringify((await db.pool.query(`SELECT t::text FROM ${name} t`)).rows));
  await db.pool.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
  const places = { logs: output.join(""), answers: shown.join(""), dump: dump.join(""), files: filesOf(folder) };
  for (const [place, text] of Object.entries(places))
    for (const [name, secret] of Object.entries(secrets)) {
      expect(secret.length, name).toBeGreaterThan(8);
      expect([place, name, text.includes(secret)]).toEqual([place, name, false]);
    }
  expect(places.dump).toContain("ada@example.com");
}, 240_000);
