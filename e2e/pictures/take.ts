import { mkdirSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import pg from "pg";
import type { Page } from "playwright";
import type { z } from "zod";
import type { alertsAnswer } from "@/server/contracts/alerts";
import type { DeadLetterGroupsAnswer, DeadLettersAnswer } from "@/server/contracts/dead-letters";
import type { FleetSummary } from "@/server/contracts/fleet";
import type { HealthAnswer } from "@/server/contracts/health";
import { createFleet } from "@/server/simulator/fleet";
import { loaded, PAGES, PEOPLE_PAGES } from "../journeys/pages";
import { post, setStage, type Stage } from "../journeys/stage";
import { processOf } from "../processes";
import { type Product, ROOT } from "../product";
import { pause, until } from "../waiting";
import { machine } from "../bench/report";

type AlertsAnswer = z.infer<typeof alertsAnswer>;

const WIDE = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
const WALL = { width: 1920, height: 1080 };
const DEVICES = 50;
const SEED = 1;
/** The past that is sent before the fleet goes on live. */
const HISTORY = { hours: 24, everyMs: 30_000 };

const SIGN_IN = { name: "sign-in", route: "/sign-in" };

/** The pages that are taken, and what shows only with data. */
function routes(device: string, letter: string | null, alert: string | null = null) {
  return [
    ...[...PAGES, ...PEOPLE_PAGES].map(({ name, route }) => ({ name: name.toLowerCase().replace(" ", "-"), route })),
    { name: "device", route: `/devices/${device}?range=24h` },
    { name: "explore-sites", route: "/explore?metric=temperature&by=site&range=6h&previous=range" },
    { name: "explore-devices", route: "/explore?metric=temperature&range=24h" },
    { name: "alerts", route: "/alerts" },
    { name: "rules", route: "/alerts/rules" },
    { name: "rule-editor", route: "/alerts/rules?new=1&metric=temperature&above=24&type=climate" },
    ...(alert === null ? [] : [{ name: "alert", route: `/alerts/${alert}` }]),
    ...(letter === null ? [] : [{ name: "dead-letter", route: `/dead-letters?letter=${encodeURIComponent(letter)}` }]),
  ];
}

/** Pages that say something of their own when there is nothing. */
const HAS_EMPTY: ReadonlySet<string> = new Set([
  ...["overview", "devices", "metrics", "pipeline", "dead-letters", "health"],
]);
/** Pages on which a worker that hangs shows. */
const SHOWS_TROUBLE: ReadonlySet<string> = new Set([
  ...["overview", "devices", "device", "pipeline", "dead-letters", "dead-letter", "health"],
]);

/**
 * Takes a picture of every page, or of those named by `--only users,keys`: light, dark, on a phone, empty, with the worker hanging, and the overview on a wall. The data is the demo
 * fleet's: a day of it, then live for as long as the charts of the last quarter of an hour reach back.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      out: { type: "string", default: "docs/images" },
      warm: { type: "string", default: "900" },
      only: { type: "string", default: "" },
    },
  });
  const out = path.resolve(ROOT, values.out);
  mkdirSync(out, { recursive: true });
  console.log(machine());
  const only = values.only.split(",").filter(Boolean);
  const isWanted = ({ name }: { name: string }) => only.length === 0 || only.includes(name);

  const empty = await setStage({ DEMO_DEVICES: "0" });
  try {
    for (const { name, route } of routes("press-07", null).filter((one) => HAS_EMPTY.has(one.name) && isWanted(one)))
      await take(empty, { route, file: path.join(out, `${name}-empty.png`), size: WIDE, scheme: "light" });
  } finally {
    await empty.close();
  }

  const stage = await setStage({
    DEMO_DEVICES: String(DEVICES),
    SIMULATOR_SEED: String(SEED),
    SIMULATOR_INTERVAL_MS: "1000",
    SIMULATOR_FAULTS_PER_HOUR: "4",
  });
  try {
    await sendHistory(stage.product);
    await sendTrouble(stage.product);
    await addRules(stage.product);
    console.log(`live for ${values.warm} s`);
    await pause(Number(values.warm) * 1000);
    const { items } = await stage.product.get<DeadLettersAnswer>("/api/v1/dead-letters?limit=1");
    const device = createFleet({ seed: SEED, devices: 1, intervalMs: 1000, faultsPerHour: 0 }).devices[0]!.name;
    await sendPeople(stage.product);
    const { items: alerts } = await stage.product.get<AlertsAnswer>("/api/v1/alerts?order=worst&state=open&limit=1");
    const pages = routes(device, items[0]?.id ?? null, alerts[0]?.id ?? null).filter(isWanted);
    for (const { name, route } of [...pages, ...[SIGN_IN].filter(isWanted)]) {
      const file = (state: string) => path.join(out, `${name}-${state}.png`);
      await take(stage, { route, file: file("light"), size: WIDE, scheme: "light" });
      await take(stage, { route, file: file("dark"), size: WIDE, scheme: "dark" });
      await take(stage, { route, file: file("phone"), size: PHONE, scheme: "light" });
    }
    if (only.length > 0) return stage.errors.length + empty.errors.length;
    await take(stage, { route: "/?wall=1", file: path.join(out, "overview-wall.png"), size: WALL, scheme: "dark" });
    await take(stage, {
      route: "/",
      file: path.join(out, "palette-light.png"),
      size: WIDE,
      scheme: "light",
      async before(page) {
        await page.keyboard.press("Control+k");
        await page.getByRole("combobox").fill(device.slice(0, 5));
        await page.getByRole("option").nth(1).waitFor();
      },
    });
    await hangWorker(stage, async () => {
      for (const { name, route } of pages.filter((one) => SHOWS_TROUBLE.has(one.name)))
        await take(stage, { route, file: path.join(out, `${name}-degraded.png`), size: WIDE, scheme: "dark" });
    });
  } finally {
    await stage.close();
  }
  return stage.errors.length + empty.errors.length;
}

interface Picture {
  readonly route: string;
  readonly file: string;
  readonly size: { readonly width: number; readonly height: number };
  readonly scheme: "light" | "dark";
  readonly before?: (page: Page) => Promise<void>;
}

async function take(stage: Stage, { route, file, size, scheme, before }: Picture): Promise<void> {
  const page = await stage.open("about:blank");
  await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
  if (route === SIGN_IN.route) await page.context().clearCookies();
  await page.goto(route);
  if (route === SIGN_IN.route) await page.getByRole("button", { name: "Sign in" }).waitFor();
  else await loaded(page);
  await before?.(page);
  // Charts are drawn after what is around them.
  await page.waitForLoadState("networkidle", { timeout: 15_000 }).catch(() => {});
  await pause(1500);
  await page.screenshot({ path: file });
  await page.context().close();
  console.log(path.relative(ROOT, file));
}

/** Sends what the demo fleet would have sent in the past, by the same curves that it goes on with. */
async function sendHistory(product: Product): Promise<void> {
  const options = { seed: SEED, devices: DEVICES, faultsPerHour: 0 };
  const fleet = createFleet({ ...options, intervalMs: HISTORY.everyMs });
  const last = Math.floor(Date.now() / HISTORY.everyMs) - 1;
  const first = last - (HISTORY.hours * 3_600_000) / HISTORY.everyMs;
  for (let tick = first; tick <= last; tick += 20) {
    const lines: string[] = [];
    for (let at = tick; at < Math.min(tick + 20, last + 1); at++)
      for (const device of fleet.devices) lines.push(...fleet.messagesAt(device, at));
    const answer = await product.fetch("/api/v1/telemetry", {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: lines.join("\n"),
    });
    if (answer.status !== 202) throw new Error(`POST telemetry: ${answer.status} ${await answer.text()}`);
  }
  await until(async () => (await product.get<{ lag: number | null }>("/api/v1/pipeline")).lag === 0, {
    timeoutMs: 300_000,
    what: "the past to be handled",
  });
  // The rates of this import would dwarf those of the live fleet on every chart.
  await query(product, "DELETE FROM pipeline_rate");
  const { states } = await product.get<FleetSummary>("/api/v1/fleet/summary");
  const { counts } = await product.get<DeadLetterGroupsAnswer>("/api/v1/dead-letters/groups");
  console.log(`a day of ${DEVICES} devices is stored: ${JSON.stringify({ ...states, deadLetters: counts })}`);
}

/** Refused in several ways: a unit sent along, another kind of value, a name that is none, a list. */
async function sendTrouble(product: Product): Promise<void> {
  const at = (secondsAgo: number) => Date.now() - secondsAgo * 1000;
  const messages = Array.from({ length: 12 }, (_, i) => [
    { device: "press-019", time: at(600 - i * 40), readings: { load: `${60 + i} %`, temperature: 41.5 + i / 10 } },
    ...(i % 4 === 0 ? [{ device: "air-016", time: at(570 - i * 40), readings: { co2: "n/a" } }] : []),
    ...(i % 5 === 0 ? [{ device: "meter-011", time: at(560 - i * 40), readings: { "power (W)": 420 } }] : []),
    ...(i % 6 === 0 ? [{ device: "air-007", time: at(550 - i * 40), readings: { temperature: [20.1, 20.4] } }] : []),
  ]).flat();
  await post(product, messages);
  const found = async () => await product.get<DeadLetterGroupsAnswer>("/api/v1/dead-letters/groups");
  await until(async () => (await found()).total >= 4, { timeoutMs: 60_000, what: "groups of dead letters" });
}

async function addTo(product: Product, route: string, what: object): Promise<void> {
  const headers = { "content-type": "application/json" };
  const answer = await product.fetch(route, { method: "POST", headers, body: JSON.stringify(what) });
  if (!answer.ok) throw new Error(`POST ${route}: ${answer.status} ${await answer.text()}`);
}

/** Rules of which some fire for the demo fleet, whatever the hour. */
async function addRules(product: Product): Promise<void> {
  const add = (name: string, metric: string, limits: object, type: string, runbook: string | null = null) => {
    const conditions = [{ metric, is: "above", ...limits }];
    return addTo(product, "/api/v1/rules", {
      name,
      runbook,
      spec: { kind: "condition", of: { types: [type] }, conditions, forMs: 10_000 },
    });
  };
  const rooms = { warning: 17, critical: 19, clear: 16.5 };
  await add(
    "Rooms too warm",
    "temperature",
    rooms,
    "climate",
    "Look at the air handling of the site, then call the shift lead.",
  );
  await add("Power high", "power", { warning: 8000 }, "meter");
  await add("Air is stale", "co2", { warning: 900, critical: 1200, clear: 850 }, "air");
}

/** Adds people and keys, so that their pages show some. */
async function sendPeople(product: Product): Promise<void> {
  const add = (route: string, what: object) => addTo(product, route, what);
  for (const [name, role] of [
    ["Vera Lindqvist", "viewer"],
    ["Otto Brandt", "operator"],
    ["Edith Moreau", "editor"],
  ] as const)
    await add("/api/v1/users", { name, email: `${name.split(" ")[0]!.toLowerCase()}@example.com`, role });
  await add("/api/v1/keys", { kind: "service", name: "grafana", role: "viewer" });
  await add("/api/v1/keys", { kind: "device", name: "press 07", device: "press-07", days: null });
}

/** Runs `work` while a worker hangs without its connections: alive to the supervisor, gone to its group. */
async function hangWorker(stage: Stage, work: () => Promise<void>): Promise<void> {
  const worker = processOf(stage.product.tree(), "worker");
  if (!worker) throw new Error("there is no worker process");
  process.kill(worker.pid, "SIGSTOP");
  try {
    await query(
      stage.product,
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'fieldwatch worker%'",
    );
    await until(
      async () => (await stage.product.get<HealthAnswer>("/api/v1/health")).probes.some((one) => one.status === "fail"),
      { timeoutMs: 60_000, what: "health to see it" },
    );
    await pause(20_000); // For something to wait.
    await work();
  } finally {
    process.kill(worker.pid, "SIGCONT");
  }
}

async function query(product: Product, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: product.connectionString() });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
