import { networkInterfaces } from "node:os";
import { loadConfig } from "@/server/config/config";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createBackoff } from "@/server/async/backoff";
import { createDelivery, type DeliveryOptions, DeliveryGaveUp, DeliveryRefused, DeliveryStopped } from "./delivery";
import { createSender, type Sender } from "./sender";
import { encryptionFor, ownAddress, telemetryRoute } from "./target";
import { startTelemetryDouble, type TelemetryDouble } from "./telemetry-double";

const items = (...texts: string[]) => texts.map((text) => Buffer.from(text));
const numbered = (count: number) => items(...Array.from({ length: count }, (_, n) => JSON.stringify({ n })));

let server: TelemetryDouble;
let sender: Sender;

beforeEach(async () => {
  server = await startTelemetryDouble();
  sender = createSender({ url: telemetryRoute(server.url), gzip: false, timeoutMs: 300, authorization: () => ({}) });
});
afterEach(async () => {
  sender.close();
  await server.close();
});

function delivery(overrides: Partial<DeliveryOptions> = {}) {
  const backoff = createBackoff({ firstMs: 5, maxMs: 20 });
  return createDelivery({ sender, backoff, giveUpAfterMs: null, stop: new AbortController().signal, ...overrides });
}

describe("delivery", () => {
  it("settles a batch and names what was rejected", async () => {
    const delivered = await delivery().deliver(items('{"a":1}', "no json", '{"b":2}'));
    expect(delivered).toEqual({
      accepted: 2,
      again: 0,
      more: {},
      rejected: [{ index: 1, reason: "notJson", detail: "no json" }],
    });
    expect(server.lines()).toEqual(['{"a":1}', "no json", '{"b":2}']);
  });

  it("packs with gzip when asked to", async () => {
    const packing = createSender({ url: telemetryRoute(server.url), gzip: true, authorization: () => ({}) });
    expect(await packing.send(items('{"a":1}'))).toEqual({ kind: "delivered", accepted: 1, rejected: [], more: {} });
    expect(server.lines()).toEqual(['{"a":1}']);
    packing.close();
  });

  it("retries 503, 429 with Retry-After, a cut connection and a stall, without losing the order", async () => {
    const faults = [503, 429, "cut", "stall"];
    const waits: string[] = [];
    server.misbehave((_, answer) => {
      const fault = faults.shift();
      if (fault === undefined) return false;
      if (fault === "cut") answer.destroy();
      else if (fault !== "stall") answer.writeHead(fault as number, fault === 429 ? { "retry-after": "0" } : {}).end();
      return true;
    });
    const delivered = await delivery({ onWaiting: (waiting) => waits.push(waiting?.why ?? "again") }).deliver(
      numbered(3),
    );
    expect(delivered.accepted).toBe(3);
    expect(waits).toHaveLength(5);
    expect(waits.at(-1)).toBe("again");
    expect(server.lines()).toEqual(numbered(3).map(String));
  });

  it("waits at least what Retry-After says", async () => {
    let first = true;
    server.misbehave((_, answer) => first && !(first = false) && !!answer.writeHead(429, { "retry-after": "1" }).end());
    const before = Date.now();
    await delivery().deliver(numbered(1));
    expect(Date.now() - before).toBeGreaterThanOrEqual(990);
  });

  it("halves what is too large, in order, and rejects the one item that is too large alone", async () => {
    server.misbehave(({ lines }, answer) => {
      const tooLarge = lines.length > 3 || (lines.includes('{"n":6}') && lines.length >= 1);
      if (tooLarge) answer.writeHead(413).end();
      return tooLarge;
    });
    const delivered = await delivery().deliver(numbered(10));
    expect(delivered.accepted).toBe(9);
    expect(delivered.rejected).toMatchObject([{ index: 6, reason: "tooLarge" }]);
    expect(server.lines()).toEqual(
      numbered(10)
        .map(String)
        .filter((line) => line !== '{"n":6}'),
    );
  });

  it("takes the rejected list of a problem for the whole request", async () => {
    const rejected = [{ index: 0, reason: "noTime", detail: "there is none" }];
    server.misbehave(
      (_, answer) => !!answer.writeHead(422).end(JSON.stringify({ title: "Nothing accepted", rejected })),
    );
    expect(await delivery().deliver(numbered(1))).toEqual({ accepted: 0, again: 0, rejected, more: {} });
  });

  it("adds up what the server only counted", async () => {
    const counted = {
      title: "x",
      rejected: [{ index: 0, reason: "noTime", detail: "x" }],
      rejectedMore: { noTime: 4, notJson: 2 },
    };
    server.misbehave((_, answer) => !!answer.writeHead(422).end(JSON.stringify(counted)));
    expect((await delivery().deliver(numbered(7))).more).toEqual({ noTime: 4, notJson: 2 });
  });

  it("throws on an address that is no telemetry route", async () => {
    server.misbehave((_, answer) => !!answer.writeHead(404).end("<html>"));
    await expect(delivery().deliver(numbered(1))).rejects.toThrow(DeliveryRefused);
    server.misbehave((_, answer) => !!answer.writeHead(200).end("<html>"));
    await expect(delivery().deliver(numbered(1))).rejects.toThrow(DeliveryRefused);
  });

  it("gives up after the time it was given, and stops when told", async () => {
    await server.close();
    await expect(delivery({ giveUpAfterMs: 60 }).deliver(numbered(1))).rejects.toThrow(DeliveryGaveUp);
    const stop = new AbortController();
    const waiting = delivery({
      stop: stop.signal,
      backoff: createBackoff({ firstMs: 60_000, maxMs: 60_000 }),
      onWaiting: () => stop.abort(),
    });
    await expect(waiting.deliver(numbered(1))).rejects.toThrow(DeliveryStopped);
  });
});

describe("addresses", () => {
  it("finds this machine's own", () => {
    const own = (env: Record<string, string>) => ownAddress(loadConfig(env, ""));
    expect(own({ HOST: "0.0.0.0" })).toBe("http://127.0.0.1:3000");
    expect(own({ HOST: "::" })).toBe("http://[::1]:3000");
    expect(own({ HOST: "10.0.0.5", PORT: "80" })).toBe("http://10.0.0.5:80");
    expect(own({ TLS_CERT_FILE: "c", TLS_KEY_FILE: "k" })).toBe("https://127.0.0.1:3000");
  });

  it("checks certificates of all but this machine's own addresses", () => {
    const checks = (address: string) => encryptionFor(new URL(address)).rejectUnauthorized;
    const mine = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
    for (const { address, family } of mine.filter(({ scopeid }) => !scopeid))
      expect(checks(`https://${family === "IPv6" ? `[${address}]` : address}`), address).toBe(false);
    for (const address of ["https://127.0.0.1", "https://[::1]:4", "https://localhost"])
      expect(checks(address)).toBe(false);
    for (const address of ["https://iot.example", "https://192.0.2.1", "https://localhost.iot.example"])
      expect(checks(address)).toBe(true);
  });

  it("keeps a proxy's path, and takes the whole route too", () => {
    expect(telemetryRoute("https://example.org/fieldwatch/").href).toBe(
      "https://example.org/fieldwatch/api/v1/telemetry",
    );
    expect(telemetryRoute("http://localhost:3000/api/v1/telemetry").href).toBe(
      "http://localhost:3000/api/v1/telemetry",
    );
  });
});

describe("backoff", () => {
  it("doubles up to its limit, jittered, and starts over after a success", () => {
    const backoff = createBackoff({ firstMs: 100, maxMs: 350, random: () => 1 });
    expect([backoff.next(null), backoff.next(null), backoff.next(null), backoff.next(null)]).toEqual([
      100, 200, 350, 350,
    ]);
    backoff.reset();
    expect(backoff.next(null)).toBe(100);
    expect(backoff.next(5000)).toBe(5100);
  });
});
