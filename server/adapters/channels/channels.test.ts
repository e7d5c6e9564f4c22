import { describe, expect, test } from "vitest";
import { alertChannelContract, alertMessage, toldAlert } from "@/server/testing/alert-channel.contract";
import { type Receiver, startReceiver } from "@/server/testing/receiver";
import { createAddressCheck } from "./address-check";
import { openChannel } from "./open";
import type { OpenedChannel } from "@/server/domain/notifications/channel";

const KEY = "planted1planted2planted3planted4";

alertChannelContract(
  "webhook",
  (url) => ({ kind: "webhook", settings: { url }, secrets: { signingSecret: KEY, authorization: `Bearer ${KEY}` } }),
  { mostBytes: 20_000 },
);
alertChannelContract(
  "slack",
  (url) => ({ kind: "slack", settings: {}, secrets: { url: `${url}/services/T0/${KEY}` } }),
  {
    mostBytes: 40_000,
  },
);
alertChannelContract(
  "pagerduty",
  (url) => ({ kind: "pagerduty", settings: { url: `${url}/v2/enqueue` }, secrets: { routingKey: KEY } }),
  { mostBytes: 512_000, success: 202 },
);
alertChannelContract(
  "ntfy",
  (url) => ({ kind: "ntfy", settings: { url }, secrets: { topic: KEY, token: `tk_${KEY}` } }),
  {
    mostBytes: 6000,
  },
);
alertChannelContract(
  "teams",
  (url) => ({ kind: "teams", settings: {}, secrets: { url: `${url}/w/${KEY}?sig=${KEY}` } }),
  {
    mostBytes: 28_000,
    success: 202,
  },
);
alertChannelContract(
  "telegram",
  (url) => ({ kind: "telegram", settings: { url, chat: "-100123" }, secrets: { token: `123:${KEY}` } }),
  { mostBytes: 20_000 },
);
alertChannelContract(
  "discord",
  (url) => ({ kind: "discord", settings: {}, secrets: { url: `${url}/api/webhooks/1/${KEY}` } }),
  {
    mostBytes: 30_000,
    success: 204,
  },
);
alertChannelContract(
  "alertmanager",
  (url) => ({ kind: "alertmanager", settings: { url }, secrets: { authorization: `Basic ${KEY}` } }),
  { mostBytes: 10_000_000 },
);
alertChannelContract(
  "apprise",
  (url) => ({ kind: "apprise", settings: { url }, secrets: { urls: `json://user:${KEY}@localhost/${KEY}` } }),
  { mostBytes: 150_000 },
);

const out = { check: createAddressCheck({ ownPorts: [], allowed: [] }), timeoutMs: 5000 };

async function sent(
  opened: (url: string) => OpenedChannel,
  messages = [alertMessage()],
  answer = { status: 200, body: "" },
) {
  const receiver: Receiver = await startReceiver();
  receiver.answer(answer);
  try {
    const channel = openChannel(opened(receiver.url), out);
    const outcomes = [];
    for (const message of messages)
      outcomes.push(
        await channel.send(channel.render(message), {
          id: message.id,
          at: Date.now(),
          signal: new AbortController().signal,
        }),
      );
    return {
      got: receiver.got.map(({ path, body }) => ({ path, body: JSON.parse(body) as Record<string, never> })),
      outcomes,
    };
  } finally {
    await receiver.close();
  }
}

describe("wire formats", () => {
  const over = toldAlert({ state: "resolved", endedAt: Date.UTC(2026, 10, 28, 10, 31) });

  test("PagerDuty: one incident by its key is triggered, acknowledged and resolved", async () => {
    const states = [alertMessage(), alertMessage([toldAlert({ acknowledgedBy: "Ada" })]), alertMessage([over])];
    const { got } = await sent(
      (url) => ({ kind: "pagerduty", settings: { url }, secrets: { routingKey: KEY } }),
      states,
    );
    expect(got.map(({ body }) => [body["event_action"], body["dedup_key"], body["routing_key"]])).toEqual(
      ["trigger", "acknowledge", "resolve"].map((action) => [action, "fieldwatch-group-7", KEY]),
    );
    expect(got[0]!.body["payload"]).toMatchObject({
      source: "press-07",
      severity: "critical",
      summary: "Critical: too hot, press-07 at north",
    });
  });

  test("Alertmanager: an alert holds for five minutes, and ends when it is over", async () => {
    const { got } = await sent(
      (url) => ({ kind: "alertmanager", settings: { url: `${url}/` }, secrets: {} }),
      [alertMessage(), alertMessage([{ ...over, endedAt: Date.UTC(2026, 10, 28, 10, 7, 30) }])],
    );
    expect(got[0]!.path).toBe("/api/v2/alerts");
    expect(got[0]!.body).toMatchObject([
      {
        labels: { alertname: "too hot", device: "press-07", fieldwatch_alert: "41" },
        endsAt: "2026-11-28T10:13:00.000Z",
      },
    ]);
    expect(got[1]!.body).toMatchObject([{ endsAt: "2026-11-28T10:07:30.000Z" }]);
  });

  test("Slack: the text alone says all, and names call nobody", async () => {
    const { got } = await sent(
      (url) => ({ kind: "slack", settings: {}, secrets: { url } }),
      [alertMessage([toldAlert({ site: "<!channel>" })])],
    );
    const text = String(got[0]!.body["text"]);
    expect(text).toContain("&lt;!channel&gt;");
    expect(text).not.toContain("<!channel>");
    expect(text).toContain("https://fieldwatch.example/alerts/41");
  });

  test("Telegram and Discord say in their bodies how long to wait", async () => {
    const telegram = await sent(
      (url) => ({ kind: "telegram", settings: { url, chat: "1" }, secrets: { token: KEY } }),
      undefined,
      {
        status: 429,
        body: JSON.stringify({ ok: false, parameters: { retry_after: 7 } }),
      },
    );
    expect(telegram.got[0]!.path).toBe(`/bot${KEY}/sendMessage`);
    expect(telegram.outcomes).toMatchObject([{ outcome: "retry", afterMs: 7000 }]);
    const discord = await sent((url) => ({ kind: "discord", settings: {}, secrets: { url } }), undefined, {
      status: 429,
      body: JSON.stringify({ retry_after: 0.65 }),
    });
    expect(discord.outcomes).toMatchObject([{ outcome: "retry", afterMs: 650 }]);
  });

  test("Apprise: by addresses, or by the key of what is kept there", async () => {
    const urls = await sent((url) => ({ kind: "apprise", settings: { url }, secrets: { urls: "json://localhost" } }));
    expect(urls.got[0]).toMatchObject({
      path: "/notify/",
      body: { urls: "json://localhost", type: "failure", format: "text" },
    });
    const key = await sent((url) => ({ kind: "apprise", settings: { url }, secrets: { key: "plant" } }));
    expect(key.got[0]!.path).toBe("/notify/plant");
  });
});
