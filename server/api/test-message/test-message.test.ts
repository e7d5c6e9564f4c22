import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { setupAnswer } from "@/server/contracts/setup";
import { probeMessage, probeMessages, type ProbeMessageView } from "@/server/contracts/test-message";
import { openAttempt } from "@/server/observability/setup-attempts.mjs";
import { createApiRig } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";

const folder = mkdtempSync(path.join(tmpdir(), "test-message-"));
// Before the rig's own, so that it comes after them: the last made is the first undone.
afterAll(() => rmSync(folder, { recursive: true }));
const rig = createApiRig({ FIELDWATCH_DATA_DIR: folder });

const send = (body: string, type = "application/json") =>
  rig.api.handle(
    "sendTestMessage",
    new Request("http://here/api", { method: "POST", body, headers: { "content-type": type } }),
    {},
  );
const get = (id: string) => rig.api.handle("getTestMessage", new Request("http://here/api"), { id });

test("a test message is followed to its live frame, and its device is one like any other", async () => {
  const answer = await send("{}");
  expect(answer.status).toBe(202);
  const sent = probeMessage.parse(await answer.json());
  let followed: ProbeMessageView = sent;
  await until(
    async () => {
      followed = probeMessage.parse(await (await get(sent.id)).json());
      return followed.state === "done";
    },
    { what: "the message to arrive", timeoutMs: 15_000 },
  );
  expect(followed.stations.map(({ state }) => state)).toEqual(Array.from({ length: 8 }, () => "done"));
  expect(followed.totalMs).toBeGreaterThan(0);
  const list = await rig.api.handle("listTestMessages", new Request("http://here/api"), {});
  expect(probeMessages.parse(await list.json()).items.map(({ id }) => id)).toEqual([sent.id]);
  const device = await rig.api.handle("getDevice", new Request("http://here/api"), { id: "fieldwatch-test" });
  expect(await device.json()).toMatchObject({ values: { "test-message": { value: 1 } } });
});

test("what can't be sent is refused in the words of the route", async () => {
  const named = await send(JSON.stringify({ device: "two words" }));
  expect(named.status).toBe(400);
  expect(await named.json()).toMatchObject({ type: "/problems/invalid-parameters", errors: [{ at: "device" }] });
  expect((await send('{"devise":"d"}')).status).toBe(400);
  expect((await send("{}", "text/plain")).status).toBe(415);
  expect((await get("00000000-0000-4000-8000-000000000000")).status).toBe(404);
  expect((await get("not-an-id")).status).toBe(400);
});

test("starts are told, newest first", async () => {
  const attempt = openAttempt(folder);
  attempt.begin("worker");
  attempt.done("worker");
  attempt.ready();
  const answer = await rig.api.handle("listSetup", new Request("http://here/api"), {});
  expect(answer.status).toBe(200);
  expect(setupAnswer.parse(await answer.json())).toMatchObject({
    attempts: [{ outcome: "done", steps: [{ name: "worker", outcome: "done" }] }],
  });
});
