import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { post, receiveAlerts, toldMessages } from "../alert-receiver";
import { freePort, type Product, runProduct, startProduct } from "../product";
import { pause, until } from "../waiting";
import { type Checks, createChecks } from "./checks";
import { type DrillOptions, readOptions } from "./drill";
import { type DrillEngines, startDrillEngines } from "./drill-engines";
import { exitCode } from "./on-stage";
import { lineOf, type Row } from "./rows";
import { type SilenceLoad, startSilenceLoad } from "./silence-load";

/** How long a device may be silent by each rule, in milliseconds: a time that was set, and three of its longest gaps, but 30 s at least. */
const DEADLINES = { "silent 10 s": 10_000, "silent as never": 30_000 } as const;
/** How much later somebody has to be told of it at most. */
const GRACE_MS = 5000;
/** How old the newest that is stored of a device may be that sends once a second. */
const UP_TO_DATE_MS = 3000;
/** How long each part is off, in seconds: full and short. Longer than any device may be silent in the full form. */
const AWAY = { worker: [600, 20], log: [300, 20], web: [300, 20], postgres: [120, 20] } as const;
type Part = keyof typeof AWAY;

/** The parts of the product, each a process tree of its own, so that one can be off for as long as it takes. */
interface Parts {
  readonly engines: DrillEngines;
  web: Product;
  worker: Product;
  start(role: "web" | "worker"): Promise<Product>;
}

/**
 * Has each part of the product off for a while, and nobody may be told that a device is silent that isn't: but of each that is, within its deadline
 * and 5 s.
 */
export async function silence({ mode, short }: DrillOptions): Promise<Row> {
  const began = performance.now();
  const checks = createChecks(`silence on ${mode} engines`);
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-silence-"));
  // The embedded PostgreSQL is the supervisor's, who would bring back each part at once.
  const engines = await startDrillEngines(mode === "embedded" ? "postgres" : mode);
  const port = await freePort();
  const env = { DEMO_DEVICES: "0", ...engines.env };
  const start = (role: "web" | "worker") =>
    startProduct({ dataDir: path.join(folder, "data"), env, role, ...(role === "web" && { port }) });
  const running: Product[] = [];
  const recoveries: number[] = [];
  let sent = 0;
  try {
    const { code, output } = await runProduct(["migrate"], env);
    if (code !== 0) throw new Error(`migrate ended with ${code}: ${output}`);
    const parts: Parts = { engines, start, web: await start("web"), worker: await start("worker") };
    running.push(parts.web, parts.worker);
    await parts.web.ready();
    const receiver = await receiveAlerts(parts.web);
    await post(parts.web, "/api/v1/rules", { name: "silent 10 s", spec: { kind: "silence", afterMs: 10_000 } });
    await post(parts.web, "/api/v1/rules", { name: "silent as never", spec: { kind: "silence" } });
    const load = startSilenceLoad(() => parts.web, short ? 40 : 200);
    await until(() => load.knownWell(), { timeoutMs: 120_000, what: "the gaps of every device to be known" });
    const names = (Object.keys(AWAY) as Part[]).filter((part) => part !== "log" || engines.kafka !== undefined);
    if (!names.includes("log")) console.log("  log: left out, PostgreSQL carries it here");
    for (const part of names) {
      recoveries.push(await breakAndWatch(parts, { part, seconds: AWAY[part][short ? 1 : 0], load, receiver, checks }));
      running.push(parts.web, parts.worker);
    }
    await load.stop();
    sent = load.sent();
    await receiver.close();
  } catch (error) {
    const logs = running.map((one) => one.log().slice(-1500)).join("\n");
    checks.that("it goes through", false, `${(error as Error).stack}\n${logs}`);
  } finally {
    for (const one of new Set(running)) await one.stop().catch(() => undefined);
    await engines.stop();
  }
  const wrong = [...checks.failed];
  if (wrong.length === 0) rmSync(folder, { recursive: true, force: true });
  checks.finish();
  const seconds = (performance.now() - began) / 1000;
  const row: Row = {
    ...{ drill: "silence", faults: recoveries.length, sent, stored: sent, dead: 0, lost: 0, twice: 0 },
    ...{ recoveries, seconds, wrong },
  };
  console.log(`  ${lineOf(row)}`);
  return row;
}

export async function main(argv: string[]): Promise<number> {
  return exitCode(await silence(readOptions(argv)));
}

interface Watching {
  readonly part: Part;
  readonly seconds: number;
  readonly load: SilenceLoad;
  readonly receiver: Awaited<ReturnType<typeof receiveAlerts>>;
  readonly checks: Checks;
}

/**
 * One device falls silent just before the part is off, and one after all is back: they alone may be told of. It is back once what devices send is stored
 * as it comes. @returns the seconds that took
 */
async function breakAndWatch(parts: Parts, { part, seconds, load, receiver, checks }: Watching): Promise<number> {
  const before = toldMessages(receiver).length;
  const early = await load.fallSilent();
  await takeAway(parts, part);
  await pause(seconds * 1000);
  const given = Date.now();
  await giveBack(parts, part);
  await until(() => load.isUpToDate(), { timeoutMs: 60_000, what: "the devices to have sent what they kept" });
  await until(
    async () => {
      const { lastEventTime } = await parts.web.get<{ lastEventTime: string }>(`/api/v1/devices/${load.lasting}`);
      return Date.now() - Date.parse(lastEventTime) < UP_TO_DATE_MS;
    },
    { timeoutMs: 120_000, what: "what devices send to be stored as it comes" },
  );
  const back = Date.now();
  const late = await load.fallSilent();
  const longest = Math.max(...Object.values(DEADLINES)) + GRACE_MS;
  await pause(longest - (Date.now() - late.at) + 1000);
  const told = toldMessages(receiver)
    .slice(before)
    .flatMap(({ at, alerts }) => alerts.map((alert) => ({ ...alert, at })))
    .filter(({ state }) => state === "firing");
  const isTrue = (device: string | null) => device === early.device || device === late.device;
  const falsely = told.filter(({ device }) => !isTrue(device)).map(({ device, rule }) => `${device} by ${rule}`);
  checks.equal(`${part} off for ${seconds} s: devices falsely told to be silent`, falsely.slice(0, 5), []);
  for (const [rule, deadline] of Object.entries(DEADLINES))
    for (const [when, { device, at }, from] of [
      ["before", early, Math.max(early.at, back)],
      ["after", late, late.at],
    ] as const) {
      const one = told.find((alert) => alert.device === device && alert.rule === rule);
      const after = one === undefined ? null : one.at - from;
      checks.that(
        `${part}: “${rule}” tells of the one that fell silent ${when} it`,
        one !== undefined && one.at - at >= deadline && after! <= deadline + GRACE_MS,
        after === null ? "never" : `${(after / 1000).toFixed(1)} s after ${from === at ? "its last" : "all was back"}`,
      );
    }
  return (back - given) / 1000;
}

async function takeAway(parts: Parts, part: Part): Promise<void> {
  if (part === "worker" || part === "web") return parts[part].stop();
  await (part === "log" ? parts.engines.kafka! : parts.engines.postgres!).stop();
}

async function giveBack(parts: Parts, part: Part): Promise<void> {
  if (part === "worker" || part === "web") parts[part] = await parts.start(part);
  else await (part === "log" ? parts.engines.kafka! : parts.engines.postgres!).start();
  await parts.web.ready();
}
