import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { killNow, processOf } from "../processes";
import { type Product, startProduct } from "../product";
import { findVictoriaLogs, startVictoriaLogs, type VictoriaLogs } from "../victoria-logs";
import { until } from "../waiting";
import { type Checks, createChecks } from "./checks";

const SECOND = 1000;
const ROLES = ["supervisor", "web", "worker", "simulator"] as const;
/** Stands in a message, and so in no line. */
const PAYLOAD = "pr1vate-of-a-message";
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const REQUEST = "drill-request-1";

/** What each says that writes from another level on. */
const CHANGED = "another level of log lines";

type Line = Readonly<Record<string, unknown>>;

/**
 * The lines of a boot, an outage of PostgreSQL and a stop, as they are, into a real log store by both routes of docs/logs.md: all are accepted, those of a
 * request are found by its ids, none holds a message or a key; and another level reaches every process without a restart. VictoriaLogs is built once
 * with Go; where there is none, the store is left out, and named.
 */
export async function main(): Promise<number> {
  const found = findVictoriaLogs();
  const checks = createChecks(
    `logs (${"missing" in found ? `VictoriaLogs left out: ${found.missing}` : path.basename(found.program)})`,
  );
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-logs-"));
  const dataDir = path.join(folder, "data");
  let store: VictoriaLogs | null = null;
  let product: Product | null = null;
  try {
    product = await startProduct({ dataDir, env: { DEMO_DEVICES: "5" } });
    await product.ready();
    await sendPrivate(product);
    await levels(checks, product);
    await outage(product);
    const { authorization } = await product.authorization();
    await product.stop();
    const text = product.log();
    checks.that("no line holds a message or a key", !text.includes(PAYLOAD) && !text.includes(authorization.slice(7)));
    const lines = linesOf(checks, text);
    const asEcs = await startProduct({ dataDir: `${dataDir}-ecs`, env: { DEMO_DEVICES: "5", LOG_FORMAT: "ecs" } });
    product = asEcs;
    await asEcs.ready();
    await asEcs.stop();
    const ecs = linesOf(checks, asEcs.log());

    if ("program" in found) {
      store = await startVictoriaLogs(found.program, path.join(folder, "store"));
      const own = "_msg_field=msg&_time_field=time&_stream_fields=role";
      const body = `${lines.join("\n")}\n`;
      const bulk = (all: readonly string[]) => all.map((line) => `{"create":{}}\n${line}\n`).join("");
      await store.insert(`/insert/jsonline?${own}`, body, 1);
      await store.insert(`/insert/elasticsearch/_bulk?${own}`, bulk(lines), 2);
      const ecsNames = "_msg_field=message&_time_field=@timestamp&_stream_fields=service.name";
      await store.insert(`/insert/elasticsearch/_bulk?${ecsNames}`, bulk(ecs), 3);
      await accepted(checks, store, { 1: lines.length, 2: lines.length, 3: ecs.length });
      const parsed = lines.map((line) => JSON.parse(line) as Line);
      for (const tenant of [1, 2]) {
        for (const [field, value] of Object.entries({ request_id: REQUEST, trace_id: TRACE })) {
          const wanted = parsed.filter((line) => line[field] === value).length;
          const got = await store.ask(`${field}:="${value}"`, tenant);
          checks.that(`lines found by ${field}`, got.length === wanted && wanted > 0, `${got.length} of ${wanted}`);
        }
        const roles = await store.ask("* | stats by (role) count() n | fields role", tenant);
        const said = roles.map(({ role }) => role).sort();
        checks.that(
          "lines by role",
          ROLES.every((role) => said.includes(role)),
          said.join(),
        );
      }
    }
  } catch (error) {
    checks.that("it goes through", false, `${(error as Error).stack}\n${product?.log().slice(-1500)}`);
  } finally {
    await product?.stop().catch(() => undefined);
    await store?.stop();
  }
  if (checks.failed.length === 0) rmSync(folder, { recursive: true, force: true });
  return checks.finish();
}

/** Messages that are taken, kept as dead letters, rejected and unreadable. */
async function sendPrivate(product: Product): Promise<void> {
  const one = { device: "press-07", time: new Date().toISOString(), readings: { temperature: 21 } };
  for (const body of [
    JSON.stringify([one, { ...one, readings: { temperature: PAYLOAD } }, { ...one, time: PAYLOAD }]),
    `{"device": ${PAYLOAD}}`,
  ])
    await product.fetch("/api/v1/telemetry", { method: "POST", body });
}

/** Another level reaches every process: by the route, and by a signal to the supervisor. */
async function levels(checks: Checks, product: Product): Promise<void> {
  const told = (level: string) =>
    ROLES.filter((role) =>
      parsedLines(product).some(
        (line) => line.role === role && (line.details as Line | undefined)?.level === level && line.msg === CHANGED,
      ),
    );
  const everywhere = async (level: string, how: string) => {
    await until(() => told(level).length === ROLES.length, {
      ...{ timeoutMs: 30 * SECOND, what: `${level} everywhere, now ${told(level).join()}` },
    }).catch(() => undefined);
    checks.equal(`roles that write from ${level} on, by ${how}`, told(level), ROLES);
  };
  // Told while debug lines are written: they name the request.
  const set = (level: string | null) =>
    product.fetch("/api/v1/log-level", { method: "PATCH", body: JSON.stringify({ level }) });
  checks.equal("PATCH log-level", (await set("debug")).status, 200);
  await everywhere("debug", "the route");
  await product.fetch("/api/v1/devices", {
    headers: { "x-request-id": REQUEST, traceparent: `00-${TRACE}-b7ad6b7169203331-01` },
  });
  await set(null);
  await everywhere("info", "the route");
  const before = product.log().length;
  const heard = () => {
    const lines = product.log().slice(before).split("\n");
    const said = (role: string) =>
      lines.some((line) => line.includes(`"role":"${role}"`) && line.includes(`"msg":"${CHANGED}"`));
    return ROLES.filter(said);
  };
  process.kill(product.pid, "SIGUSR2");
  await until(() => heard().length === ROLES.length, {
    ...{ timeoutMs: 30 * SECOND, what: "the signal to reach every process" },
  }).catch(() => undefined);
  checks.equal("roles that heard of SIGUSR2 to the supervisor", heard(), ROLES);
}

/** PostgreSQL dies, and comes back by itself. */
async function outage(product: Product): Promise<void> {
  const postgres = processOf(product.tree(), "postgres");
  if (postgres === undefined) throw new Error("there is no PostgreSQL to kill");
  const before = product.log().length;
  killNow([postgres.pid]);
  await until(() => product.log().slice(before).includes("is back"), {
    ...{ timeoutMs: 60 * SECOND, what: "PostgreSQL to be back" },
  });
  await product.ready();
}

function parsedLines(product: Product): Line[] {
  return product
    .log()
    .split("\n")
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as Line];
      } catch {
        return [];
      }
    });
}

/** The lines of an output, each of which has to be an object. */
function linesOf(checks: Checks, text: string): string[] {
  const lines = text.split("\n").filter((line) => line !== "");
  const odd = lines.filter((line) => !/^\{.*\}$/.test(line));
  checks.equal(`of ${lines.length} lines no JSON`, odd, []);
  return lines;
}

/** Every line is there, by tenant. */
async function accepted(checks: Checks, store: VictoriaLogs, wanted: Readonly<Record<number, number>>): Promise<void> {
  for (const [tenant, lines] of Object.entries(wanted)) {
    const count = async () => Number((await store.ask("* | stats count() n", Number(tenant)))[0]?.n);
    await until(async () => (await count()) >= lines, { timeoutMs: 20 * SECOND, what: "all lines" }).catch(
      () => undefined,
    );
    checks.equal(
      `lines accepted, ${["by jsonline", "by _bulk", "of ECS by _bulk"][Number(tenant) - 1]}`,
      await count(),
      lines,
    );
  }
}
