import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import pg from "pg";
import { post, receiveAlerts, toldMessages } from "../alert-receiver";
import { type Product, startProduct } from "../product";
import { pause, until } from "../waiting";
import { machine, markdownTable, percentile } from "./report";

const DEVICES = 2000;
const STEP_MS = 100;
/** Every so many steps the value of one more device crosses the limit. */
const CROSS_EVERY = 2;
const SAVED_RULES = 10;
const LOOK_MS = 10;

/**
 * Measures, under a steady load, how long it takes from the moment a reading is sent until its alert is committed, and until a webhook that waits for
 * nothing has it; and from saving a rule until it has fired for what is true already: `npm run bench -- alert-latency --rate 2000 --seconds 60`.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: { rate: { type: "string", default: "2000" }, seconds: { type: "string", default: "60" } },
  });
  const [rate, seconds] = [Number(values.rate), Number(values.seconds)];
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-alert-latency-"));
  const product = await startProduct({ dataDir: path.join(folder, "data"), env: { DEMO_DEVICES: "0" } });
  try {
    await product.ready();
    const receiver = await receiveAlerts(product);
    await post(product, "/api/v1/rules", {
      name: "too hot",
      spec: { kind: "condition", conditions: [{ metric: "temperature", is: "above", warning: 80 }] },
    });
    const events = await watchEvents(product.connectionString());
    const load = startLoad(product, rate);
    // Every device is known by then, and what is compiled at the first message is.
    await pause((DEVICES / rate) * 1000 + 5000);
    load.cross();
    await pause(seconds * 1000);
    load.rest();
    const saved: number[] = [];
    for (let i = 0; i < SAVED_RULES; i++) {
      const began = Date.now();
      const spec = {
        ...{ kind: "condition", of: { devices: [nameOf(DEVICES - 1 - i)] } },
        conditions: [{ metric: "temperature", is: "below", warning: 50 }],
      };
      await post(product, "/api/v1/rules", { name: `saved ${i}`, spec });
      await until(() => events.seen.has(nameOf(DEVICES - 1 - i)), {
        timeoutMs: 30_000,
        everyMs: 5,
        what: "a saved rule",
      });
      saved.push(events.seen.get(nameOf(DEVICES - 1 - i))! - began);
    }
    const { crossed, sent, seconds: took } = await load.stop();
    await until(() => receiver.got.length >= crossed.size + SAVED_RULES, { timeoutMs: 60_000, what: "every message" });
    await events.stop();
    const told = new Map(
      toldMessages(receiver).flatMap(({ at, alerts }) => alerts.map(({ device }) => [device!, at] as const)),
    );
    const of = (to: ReadonlyMap<string, number>) => [...crossed].map(([device, at]) => to.get(device)! - at);
    console.log(
      `${machine()}\n${sent} messages of 2 readings, ${rate} a second wanted, ${Math.round(sent / took)} done; ${crossed.size} alerts\n\n${markdownTable(
        ["ms", "median", "p99", "worst"],
        [
          row("reading sent → alert committed", of(events.seen)),
          row("reading sent → webhook has it, wait 0", of(told)),
          row(`rule saved → its alert committed (${SAVED_RULES} rules)`, saved),
        ],
      )}`,
    );
    await receiver.close();
    return 0;
  } finally {
    await product.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function row(what: string, values: number[]): string[] {
  const sorted = values.toSorted((a, b) => a - b);
  return [
    what,
    ...[percentile(sorted, 0.5), percentile(sorted, 0.99), sorted.at(-1)!].map((ms) => String(Math.round(ms))),
  ];
}

function nameOf(n: number): string {
  return `latency-${String(n).padStart(4, "0")}`;
}

/** Notes when the first event of each device can be seen by others. */
async function watchEvents(connectionString: string) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const seen = new Map<string, number>();
  let isOver = false;
  const loop = (async () => {
    let last = "0";
    while (!isOver) {
      const { rows } = await client.query<{ id: string; device: string }>(
        // Ids aren't committed in their order.
        `SELECT e.id, a.device_name AS device FROM alert_event e JOIN alert a ON a.id = e.alert_id WHERE e.id > $1::bigint - 1000 AND e.kind = 'fired' ORDER BY e.id`,
        [last],
      );
      const at = Date.now();
      for (const { id, device } of rows) {
        if (!seen.has(device)) seen.set(device, at);
        last = id;
      }
      await pause(LOOK_MS);
    }
  })();
  return {
    seen,
    async stop() {
      isOver = true;
      await loop;
      await client.end();
    },
  };
}

/** Posts at a steady rate, devices in turn; on demand, lets the value of one more device cross the limit now and then. */
function startLoad(product: Product, rate: number) {
  const crossed = new Map<string, number>();
  let [isCrossing, isOver, sent, next] = [false, false, 0, 0];
  const began = performance.now();
  const posts = new Set<Promise<unknown>>();
  const loop = (async () => {
    for (let step = 0; !isOver; step++) {
      await pause(began + step * STEP_MS - performance.now());
      const time = Date.now();
      const crosses = isCrossing && step % CROSS_EVERY === 0;
      const length = (rate * STEP_MS) / 1000;
      const lines = Array.from({ length }, (_, i) => {
        const n = next++ % DEVICES;
        const device = nameOf(n);
        // Another place of the request each time, and none of the devices that rules are saved for.
        if (crosses && i === step % length && n < DEVICES - SAVED_RULES && !crossed.has(device))
          crossed.set(device, time);
        return JSON.stringify({ device, time, readings: { temperature: crossed.has(device) ? 85 : 20, step } });
      });
      sent += lines.length;
      const headers = { "content-type": "application/x-ndjson" };
      const one = product
        .fetch("/api/v1/telemetry", { method: "POST", headers, body: lines.join("\n") })
        .then(async (answer) => {
          if (!answer.ok) throw new Error(`POST telemetry: ${answer.status} ${await answer.text()}`);
        });
      posts.add(one);
      void one.finally(() => posts.delete(one));
    }
    await Promise.all(posts);
  })();
  loop.catch(() => {});
  return {
    cross: () => void (isCrossing = true),
    rest: () => void (isCrossing = false),
    async stop() {
      isOver = true;
      await loop;
      return { crossed, sent, seconds: (performance.now() - began) / 1000 };
    },
  };
}
