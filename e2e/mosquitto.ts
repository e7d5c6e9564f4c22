import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import mqtt from "mqtt";
import { freePort } from "./product";

/** A real mosquitto that runs for a while. */
export interface Mosquitto {
  readonly url: string;
  stop(): void;
}

/** Starts mosquitto (MOSQUITTO names its command) with as much in flight and queued as a bridge wants. @returns why not, where there is none. */
export async function startMosquitto(): Promise<Mosquitto | { readonly missing: string }> {
  const command = process.env.MOSQUITTO ?? "mosquitto";
  // Debian has it where not everybody's PATH leads.
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
  if (spawnSync(command, ["-h"], { env }).error)
    return { missing: `${command} isn't installed (MOSQUITTO names another)` };
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-mosquitto-"));
  const port = await freePort();
  const conf = path.join(folder, "mosquitto.conf");
  const listens = `listener ${port} 127.0.0.1\nallow_anonymous true\nuser root\n`;
  writeFileSync(conf, `${listens}max_queued_messages 0\nmax_inflight_messages 1000\n`);
  const broker = spawn(command, ["-c", conf], { env, stdio: ["ignore", "ignore", "inherit"] });
  return {
    url: `mqtt://127.0.0.1:${port}`,
    stop() {
      broker.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Publishes messages by QoS 1 to `plant/bridged-…`, all of which wait in the sessions of these clients. */
export async function queueMessages(url: string, clientIds: readonly string[], count: number): Promise<void> {
  for (const clientId of clientIds) {
    // The session is there before anybody reads it.
    const session = await mqtt.connectAsync(url, { clientId, clean: false });
    await session.subscribeAsync("plant/#", { qos: 1 });
    await session.endAsync();
  }
  const sender = await mqtt.connectAsync(url);
  const began = Date.now() - count;
  const all: Promise<unknown>[] = [];
  for (let n = 0; n < count; n++) {
    all.push(sender.publishAsync(`plant/bridged-${n % 40}`, `{"at":${began + n},"n":${n}}`, { qos: 1 }));
    if (n % 500 === 499) await Promise.all(all.splice(0));
  }
  await Promise.all(all);
  await sender.endAsync();
}
