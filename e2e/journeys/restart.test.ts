import type { Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pause, until } from "../waiting";
import { PATIENCE_MS, post, setStage, type Stage } from "./stage";

const DEVICE = "restart-01";
/** Slow enough that a table of 250 rows holds what is sent in two minutes. */
const EVERY_MS = 500;

let stage: Stage;
beforeAll(async () => {
  stage = await setStage({ DEMO_DEVICES: "0" });
});
afterAll(async () => {
  await stage?.close();
  expect(stage?.errors ?? []).toEqual([]);
});

/** A device that counts its messages, and keeps each until it is taken. */
function startCounting() {
  let stopped = false;
  let sent = 0;
  const run = (async () => {
    while (!stopped) {
      const message = { device: DEVICE, time: Date.now(), readings: { counter: sent + 1 } };
      for (let taken = false; !taken;) {
        taken = await post(stage.product, message).then(
          () => true,
          () => false,
        );
        await pause(EVERY_MS);
      }
      sent++;
    }
  })();
  return {
    sent: () => sent,
    async stop() {
      stopped = true;
      await run;
    },
  };
}

test("a page open while the server restarts goes on by itself, and no reading is missing in it", async () => {
  const counting = startCounting();
  await until(() => counting.sent() >= 3, { timeoutMs: PATIENCE_MS, what: "the first messages" });
  const page = await stage.open(`/devices/${DEVICE}?metric=counter&range=15m&view=table`);
  const connection = page.getByRole("status");
  await connection.getByText("Connected").waitFor();
  await until(async () => (await shown(page)).length >= 3, { timeoutMs: PATIENCE_MS, what: "readings in the table" });
  await page.evaluate(() => void ((window as { journeyMark?: boolean }).journeyMark = true));

  for (let round = 1; round <= 2; round++) {
    const before = counting.sent();
    const restarting = stage.restart();
    await connection.getByText(/Reconnecting|Stale/).waitFor();
    await restarting;
    await connection.getByText("Connected").waitFor();
    await until(() => counting.sent() >= before + 8, { timeoutMs: PATIENCE_MS, what: "messages after the restart" });
  }
  await counting.stop();

  const all = Array.from({ length: counting.sent() }, (_, i) => i + 1);
  await until(async () => (await shown(page)).length >= all.length, {
    timeoutMs: PATIENCE_MS,
    what: `${all.length} readings in the table`,
  });
  expect(await shown(page)).toEqual(all);
  expect(await page.evaluate(() => (window as { journeyMark?: boolean }).journeyMark)).toBe(true);

  // Each start of each process is an event, once.
  const starts = async () => {
    const { items } = await stage.product.get<{ items: { sentence: string }[] }>("/api/v1/events?kinds=process");
    return items.map(({ sentence }) => sentence).filter((sentence) => sentence.startsWith("The process"));
  };
  await until(async () => (await starts()).length >= 6, {
    timeoutMs: PATIENCE_MS,
    what: "the starts of both processes",
  });
  const of = (role: string) => [
    `The process ${role} was started`,
    ...Array.from({ length: 2 }, () => `The process ${role} was stopped and started again`),
  ];
  expect((await starts()).sort()).toEqual([...of("web"), ...of("worker")]);
  await page.context().close();
});

/** The readings in the table, ascending. */
async function shown(page: Page): Promise<number[]> {
  const cells = page.getByRole("region", { name: "History as a table" }).locator("tbody tr td:nth-child(2)");
  return (await cells.allInnerTexts()).map(Number).sort((a, b) => a - b);
}
