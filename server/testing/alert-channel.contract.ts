import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createAddressCheck } from "@/server/adapters/channels/address-check";
import { openChannel } from "@/server/adapters/channels/open";
import type { OpenedChannel } from "@/server/domain/notifications/channel";
import { type AlertMessage, type ToldAlert, writeMessage } from "@/server/domain/notifications/message";
import { type Receiver, startReceiver } from "./receiver";

/** An alert as messages tell it. */
export function toldAlert(parts: Partial<ToldAlert> = {}): ToldAlert {
  return {
    ...{ id: 41, rule: "too hot", severity: "critical", state: "firing", device: "press-07", site: "north" },
    ...{
      subject: null,
      measure: null,
      metric: "temperature",
      valueMetric: "temperature",
      condition: null,
      unit: "°C",
      decimals: null,
      value: 96.1,
      worst: 97,
      endedAt: null,
      closedReason: null,
      flapping: false,
    },
    ...{ noDataSince: null, acknowledgedBy: null, runbook: "https://wiki.example/hot", share: null },
    ...{
      startedAt: Date.UTC(2026, 10, 28, 10, 2),
      firedAt: Date.UTC(2026, 10, 28, 10, 7),
      decidedAt: Date.UTC(2026, 10, 28, 10, 7),
    },
    ...parts,
  };
}

export function alertMessage(alerts: readonly ToldAlert[] = [toldAlert()], mostNamed = 50): AlertMessage {
  return writeMessage({
    ...{
      id: "0b7a2d64-7d7e-4f0e-8a6f-0d5b0a9c1e11",
      occasion: "news",
      at: Date.UTC(2026, 10, 28, 10, 8),
      thread: "fieldwatch-group-7",
    },
    ...{ alerts, mostNamed, publicUrl: "https://fieldwatch.example" },
  });
}

/** Text that is as long as people and devices make it, and means to be something else. */
const NASTY = `<!channel> @everyone *x* [a](http://evil) "quoted" \\ ${"ü𝄞".repeat(60)}`;
const SECRET_WORD = "planted";

/**
 * What every channel that speaks HTTP keeps to, against a real server.
 * @param channelAt the channel with its receiver at an address; all its secrets hold the word "planted", or are that address.
 * @param mostBytes of a request.
 */
export function alertChannelContract(
  kind: string,
  channelAt: (url: string) => OpenedChannel,
  { mostBytes, success = 200 }: { readonly mostBytes: number; readonly success?: number },
): void {
  const out = { check: createAddressCheck({ ownPorts: [], allowed: [] }), timeoutMs: 5000 };
  const delivery = () => ({
    id: "0b7a2d64-7d7e-4f0e-8a6f-0d5b0a9c1e11",
    at: Date.now(),
    signal: new AbortController().signal,
  });

  describe(`${kind} keeps to the contract of channels`, () => {
    let receiver: Receiver;
    beforeEach(async () => {
      receiver = await startReceiver();
    });
    afterEach(() => receiver.close());

    const send = (timeoutMs = out.timeoutMs, url = receiver.url) => {
      const channel = openChannel(channelAt(url), { ...out, timeoutMs });
      return channel.send(channel.render(alertMessage()), delivery());
    };

    test("what is taken is sent, with the answer", async () => {
      receiver.answer({ status: success, body: success === 204 ? "" : "thanks" });
      expect(await send()).toEqual({
        outcome: "sent",
        answer: { status: success, text: success === 204 ? "" : "thanks" },
      });
      expect(receiver.got).toHaveLength(1);
      expect(receiver.got[0]!.headers["content-type"]).toBe("application/json");
      expect(receiver.got[0]!.body).toContain("press-07");
      JSON.parse(receiver.got[0]!.body);
    });

    test.each([500, 502, 503, 408, 425])("%i is for later", async (status) => {
      receiver.answer({ status, body: "later" });
      expect(await send()).toEqual({ outcome: "retry", answer: { status, text: "later" }, afterMs: null });
    });

    test.each([400, 401, 403, 404, 410, 413, 302])("%i is for ever", async (status) => {
      receiver.answer({ status, body: "never", headers: { location: `${receiver.url}/elsewhere` } });
      expect(await send()).toEqual({ outcome: "failed", answer: { status, text: "never" } });
      expect(receiver.got).toHaveLength(1);
    });

    test("Retry-After is told, in seconds and as a date", async () => {
      receiver.answer({ status: 429, headers: { "retry-after": "30" } });
      expect(await send()).toMatchObject({ outcome: "retry", afterMs: 30_000 });
      receiver.answer({ status: 503, headers: { "retry-after": new Date(Date.now() + 90_000).toUTCString() } });
      const { afterMs } = (await send()) as { afterMs: number };
      expect(afterMs).toBeGreaterThan(80_000);
      expect(afterMs).toBeLessThan(91_000);
    });

    test("no answer, a cut connection and nobody there are for later", async () => {
      receiver.answer("hang");
      expect(await send(100)).toMatchObject({
        outcome: "retry",
        answer: { status: null, text: "No answer within 0.1 s." },
      });
      receiver.answer("reset");
      expect(await send()).toMatchObject({ outcome: "retry", answer: { status: null } });
      const { url } = receiver;
      await receiver.close();
      expect(await send(1000, url)).toMatchObject({ outcome: "retry", answer: { status: null } });
      receiver = await startReceiver();
    });

    test("link-local and metadata addresses are never sent to, however they are written", async () => {
      for (const host of [
        "169.254.169.254",
        "[fe80::1]",
        "[::ffff:169.254.169.254]",
        "[fd00:ec2::254]",
        "[64:ff9b::a9fe:a9fe]",
      ])
        expect(await send(1000, `http://${host}:${receiver.port}`), host).toMatchObject({
          outcome: "failed",
          answer: { status: null, text: expect.stringContaining("link-local or metadata") as string },
        });
    });

    test("our own address is never sent to, by whichever name", async () => {
      const own = { check: createAddressCheck({ ownPorts: [receiver.port], allowed: [] }), timeoutMs: 1000 };
      for (const host of ["127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]"]) {
        const channel = openChannel(channelAt(`http://${host}:${receiver.port}`), own);
        expect(await channel.send(channel.render(alertMessage()), delivery()), host).toMatchObject({
          outcome: "failed",
        });
      }
      expect(receiver.got).toHaveLength(0);
    });

    test("no secret is in what is kept or answered", async () => {
      receiver.answer((request) => ({ status: 500, body: JSON.stringify(request) }));
      const channel = openChannel(channelAt(receiver.url), out);
      const rendered = channel.render(alertMessage());
      expect(rendered).not.toContain(SECRET_WORD);
      const { answer } = await channel.send(rendered, delivery());
      expect(answer.text).not.toContain(SECRET_WORD);
      expect(answer.text.length).toBeLessThanOrEqual(500);
    });

    test("whatever is told of, however much, fits and is the same at each attempt", async () => {
      const alerts = Array.from({ length: 1000 }, (_, i) =>
        toldAlert({
          id: i + 1,
          rule: NASTY,
          device: `${"d".repeat(120)}-${i}`,
          site: NASTY,
          metric: "m".repeat(128),
          unit: NASTY.slice(0, 32),
        }),
      );
      const channel = openChannel(channelAt(receiver.url), out);
      const rendered = channel.render(alertMessage(alerts));
      await channel.send(rendered, delivery());
      await channel.send(rendered, delivery());
      const [one, two] = receiver.got;
      expect(Buffer.byteLength(one!.body)).toBeLessThanOrEqual(mostBytes);
      expect(two!.body).toBe(one!.body);
      expect(two!.path).toBe(one!.path);
    });
  });
}
