import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { type Receiver, startReceiver } from "@/server/testing/receiver";
import { post, receiveAlerts, toldMessages } from "../alert-receiver";
import { cache, type Found, fromDebian, madeIn } from "../made-programs";
import { killNow } from "../processes";
import { freePort, type Product, startProduct } from "../product";
import { pause, until } from "../waiting";
import { type Checks, createChecks } from "./checks";

const VERSION = "v0.28.1";
const ALERTS = 100;
/** Alertmanager's own default, within which both are killed. */
const WAIT_S = 30;
/** Alertmanager takes what isn't sent again for over after this. */
const HOLDS_MS = 5 * 60_000;

/**
 * Against a real Alertmanager: what our channel sends is grouped, is over when we say so, and by endsAt once we are gone; and what each of both delivers
 * that is killed a second after it answered. It takes eight minutes; `--short` leaves out the five of endsAt.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({ args: argv, options: { short: { type: "boolean", default: false } } });
  const found = findAlertmanager();
  if ("missing" in found) {
    console.log(`alertmanager: left out, there is none: ${found.missing}`);
    return 0;
  }
  const checks = createChecks(`alertmanager (${path.basename(found.program)})`);
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-alertmanager-"));
  try {
    await throughOurChannel(checks, found.program, path.join(folder, "channel"), values.short);
    await killedAfterAnswer(checks, found.program, path.join(folder, "killed"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return checks.finish();
}

/** The program that ALERTMANAGER names, or one that is built once through the Go module proxy, or else Debian's. */
function findAlertmanager(): Found {
  const named = process.env.ALERTMANAGER ?? path.join(cache(), `alertmanager-${VERSION}`);
  if (existsSync(named)) return { program: named };
  const built = madeIn(`alertmanager-${VERSION}`, (folder, run) => {
    run("env", [`GOBIN=${folder}`, "go", "install", `github.com/prometheus/alertmanager/cmd/alertmanager@${VERSION}`]);
    return path.join(folder, "alertmanager");
  });
  if ("program" in built) return built;
  return fromDebian("prometheus-alertmanager", "usr/bin/prometheus-alertmanager");
}

interface Alertmanager {
  readonly url: string;
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** Starts one that tells a receiver of groups by their rule. */
async function startAlertmanager(
  program: string,
  folder: string,
  receiver: Receiver,
  waitS: number,
): Promise<Alertmanager> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const file = `${folder}-alertmanager.yml`;
  writeFileSync(
    file,
    `route: { receiver: counted, group_by: [alertname], group_wait: ${waitS}s, group_interval: 5s, repeat_interval: 1h }\n` +
      `receivers: [{ name: counted, webhook_configs: [{ url: "${receiver.url}", send_resolved: true }] }]\n`,
  );
  let child: ChildProcess | undefined;
  const own: Alertmanager = {
    url,
    async kill() {
      child?.kill("SIGKILL");
      if (child) await once(child, "exit");
      child = undefined;
    },
    async start() {
      const args = [
        `--config.file=${file}`,
        `--storage.path=${folder}-alertmanager`,
        `--web.listen-address=127.0.0.1:${port}`,
      ];
      child = spawn(program, [...args, "--cluster.listen-address="], { stdio: "ignore" });
      const isReady = () =>
        fetch(`${url}/-/ready`).then(
          (answer) => answer.ok,
          () => false,
        );
      await until(isReady, { timeoutMs: 30_000, what: "Alertmanager to be ready" });
    },
  };
  await own.start();
  return own;
}

/** How many devices Alertmanager told of by state, and in how many requests. */
function toldByAlertmanager({ got }: Receiver) {
  const devices = { firing: new Set<string>(), resolved: new Set<string>() };
  for (const { body } of got) {
    const { alerts } = JSON.parse(body) as {
      alerts: { status: "firing" | "resolved"; labels: Record<string, string> }[];
    };
    for (const { status, labels } of alerts) devices[status].add(labels["device"] ?? "");
  }
  return { firing: devices.firing.size, resolved: devices.resolved.size, requests: got.length };
}

async function startOurs(dataDir: string): Promise<Product> {
  const product = await startProduct({ dataDir, env: { DEMO_DEVICES: "0" } });
  await product.ready();
  return product;
}

const HOT = {
  kind: "condition",
  holds: "until-next",
  conditions: [{ metric: "temperature", is: "above", warning: 80 }],
};

/** Each device sends one value. */
async function send(product: Product, temperature: number, devices = ALERTS): Promise<void> {
  const time = Date.now();
  const messages = Array.from({ length: devices }, (_, i) => ({
    device: `peer-${i}`,
    time,
    readings: { temperature },
  }));
  await post(product, "/api/v1/telemetry", messages);
}

async function throughOurChannel(checks: Checks, program: string, folder: string, short: boolean): Promise<void> {
  const receiver = await startReceiver();
  const alertmanager = await startAlertmanager(program, folder, receiver, 2);
  const product = await startOurs(folder);
  try {
    const settings = { url: alertmanager.url };
    const { id } = await post<{ id: number }>(product, "/api/v1/channels", {
      name: "am",
      kind: "alertmanager",
      settings,
    });
    const route = { name: "all", channels: [id], groupBy: ["rule"], waitMs: 1000, intervalMs: 0 };
    await post(product, "/api/v1/routes", route);
    await post(product, "/api/v1/rules", { name: "too hot", spec: HOT });
    await send(product, 85);
    const told = () => toldByAlertmanager(receiver);
    await until(() => told().firing === ALERTS, { timeoutMs: 60_000, what: "Alertmanager to tell of all" }).catch(
      () => {},
    );
    checks.equal("alerts that Alertmanager told of", told().firing, ALERTS);
    checks.that("grouped", told().requests <= 5, `${told().requests} requests`);
    await send(product, 20, ALERTS / 2);
    await until(() => told().resolved === ALERTS / 2, { timeoutMs: 60_000, what: "what is over" }).catch(() => {});
    checks.equal("alerts over as we said so", told().resolved, ALERTS / 2);
    await product.stop();
    if (short) return;
    const stopped = Date.now();
    const timeoutMs = HOLDS_MS + 60_000;
    await until(() => told().resolved === ALERTS, { timeoutMs, everyMs: 500, what: "endsAt" }).catch(() => {});
    checks.equal("alerts over by endsAt once we were gone", told().resolved, ALERTS);
    console.log(`  the last of them ${Math.round((Date.now() - stopped) / 1000)} s after that`);
  } finally {
    if (!product.hasExited()) await product.stop();
    await alertmanager.kill();
    await receiver.close();
  }
}

/** Both are given a hundred alerts to wait with for half a minute, answer, are killed a second later, and started again. */
async function killedAfterAnswer(checks: Checks, program: string, folder: string): Promise<void> {
  const peer = await startReceiver();
  const alertmanager = await startAlertmanager(program, folder, peer, WAIT_S);
  const startsAt = new Date().toISOString();
  const body = Array.from({ length: ALERTS }, (_, i) => ({
    ...{ labels: { alertname: "too hot", device: `peer-${i}` }, startsAt },
    endsAt: new Date(Date.now() + HOLDS_MS).toISOString(),
  }));
  const answer = await fetch(`${alertmanager.url}/api/v2/alerts`, {
    ...{ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) },
  });
  checks.equal("Alertmanager's answer", answer.status, 200);
  await pause(1000);
  await alertmanager.kill();
  await alertmanager.start();

  const product = await startOurs(folder);
  const ours = await receiveAlerts(product, WAIT_S * 1000);
  await post(product, "/api/v1/rules", { name: "too hot", spec: HOT });
  await send(product, 85);
  await pause(1000);
  killNow(product.tree().map(({ pid }) => pid));
  await product.exited;
  const again = await startOurs(folder);
  try {
    const devices = () => new Set(toldMessages(ours).flatMap(({ alerts }) => alerts.map(({ device }) => device))).size;
    // Longer than both wait.
    await until(() => devices() === ALERTS, { timeoutMs: 90_000, what: "our messages" }).catch(() => {});
    const { firing } = toldByAlertmanager(peer);
    console.log(
      `  killed a second after they answered: Alertmanager delivered ${firing} of ${ALERTS}, Fieldwatch ${devices()}`,
    );
    checks.equal("alerts that we delivered", devices(), ALERTS);
  } finally {
    await again.stop();
    await alertmanager.kill();
    await Promise.all([peer.close(), ours.close()]);
  }
}
