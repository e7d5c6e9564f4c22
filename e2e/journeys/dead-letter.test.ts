import type { Page } from "playwright";
import pino from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { composeEngines } from "@/server/compose";
import { loadConfig } from "@/server/config/config";
import type { DeadLetterGroupsAnswer } from "@/server/contracts/dead-letters";
import { PIPELINE_GROUP, TOPICS } from "@/server/domain/terms";
import { until } from "../waiting";
import { loaded } from "./pages";
import { PATIENCE_MS, post, setStage, type Stage } from "./stage";

const BROKEN = "press-07";
/** Its clock is ahead of the others by more than is tolerated; what it sends is fine once that time has come. */
const AHEAD = "clock-01";
const AHEAD_MS = 8000;
const EARLY = 40;
const GARBLED = 20;

let stage: Stage;
beforeAll(async () => {
  stage = await setStage({ DEMO_DEVICES: "0", FUTURE_TOLERANCE_SECONDS: "1" });
  const time = Date.now();
  await post(stage.product, { device: BROKEN, time, readings: { temperature: 20.1, humidity: 40 } });
  await until(async () => (await stage.product.get<{ items: unknown[] }>("/api/v1/metrics")).items.length === 2, {
    timeoutMs: PATIENCE_MS,
    what: "what the device sends when it is well",
  });
  const drifted = { device: BROKEN, time: time + 1, readings: { temperature: "21.4 °C", humidity: 41 } };
  await post(stage.product, drifted);
  await deadLetters((counts) => counts.open === 1, "the dead letter of the broken device");
});
afterAll(async () => {
  await stage?.close();
  expect(stage?.errors ?? []).toEqual([]);
});

type Counts = DeadLetterGroupsAnswer["counts"];

async function deadLetters(isSo: (counts: Counts) => boolean, what: string): Promise<void> {
  const counts = async () =>
    (await stage.product.get<DeadLetterGroupsAnswer>("/api/v1/dead-letters/groups?status=all")).counts;
  await until(async () => isSo(await counts()), { timeoutMs: PATIENCE_MS, what });
}

/**
 * Puts messages into the log past the route, which would have refused them. They are told their time when the log is
 * open, so that it is ahead however long that took. @returns that time
 */
async function append(messagesAt: (time: number) => readonly string[]): Promise<number> {
  const config = loadConfig({ FIELDWATCH_DATA_DIR: stage.product.dataDir }, "");
  const { eventLog, close } = await composeEngines(config, "journey", pino({ level: "silent" }));
  await eventLog.describe(TOPICS.telemetry, PIPELINE_GROUP);
  const time = Date.now() + AHEAD_MS;
  await eventLog.append(
    TOPICS.telemetry,
    messagesAt(time).map((message) => ({ key: AHEAD, value: Buffer.from(message) })),
  );
  await close();
  return time;
}

const groups = (page: Page) => page.getByRole("table", { name: "Groups of dead letters" });
const group = (page: Page, words: RegExp) => groups(page).getByRole("row", { name: words });
const chip = (page: Page, words: RegExp) =>
  page.getByRole("group", { name: "Status" }).getByRole("button", { name: words });

test("a dead letter of the broken device is found, fixed, resent, and its reading seen", async () => {
  const page = await stage.open("/devices");
  await page.getByRole("link", { name: BROKEN }).click();
  const own = page.getByRole("region", { name: "Dead letters" });
  await own.getByText("temperature is a string; it has readings, which are numbers or booleans").waitFor();
  await own.getByRole("link", { name: "Type changed" }).click();

  const letter = page.getByRole("complementary", { name: "Dead letter", exact: true });
  await letter.getByRole("heading", { name: "Type changed" }).waitFor();
  expect(await letter.locator("mark").allInnerTexts()).toEqual(['"21.4 °C"']);
  await letter.getByText("temperature is a number elsewhere.").waitFor();
  await group(page, /Type changed/).waitFor();

  await letter.getByRole("button", { name: "Edit and resend" }).click();
  const editor = letter.getByRole("form", { name: "Edit and resend" });
  await editor.getByText("It would be refused again.").waitFor();
  const text = editor.getByRole("textbox", { name: "Message to send" });
  const mended = (await text.inputValue()).replace('"21.4 °C"', "21.4");
  await text.fill(mended.slice(0, -1));
  await editor.getByText(/Not JSON: at line 1, column \d+, it ends too early/).waitFor();
  await text.fill(mended);
  await editor.getByRole("button", { name: "Check" }).click();
  await editor.getByText("1 reading would be stored").waitFor();
  await editor.getByRole("button", { name: "Resend edited message" }).click();

  const outcome = letter.getByRole("status", { name: "Outcome" });
  await outcome.getByText(/^Stored: /).waitFor();
  await letter.getByText("Sent again, edited").waitFor();
  await chip(page, /Open 0/).waitFor();
  await outcome.getByRole("link", { name: `See ${BROKEN}` }).click();
  await page.getByRole("region", { name: "Current values" }).getByTitle("21.4", { exact: true }).waitFor();
  await page.getByRole("region", { name: "Dead letters" }).getByText("Resent").waitFor();
  await page.context().close();
});

test("many are tried first, then resent at a rate, and everyone sees how far it is", async () => {
  const time = await append((at) => [
    ...Array.from({ length: EARLY }, (_, i) =>
      JSON.stringify({ device: AHEAD, time: at + i, readings: { temperature: i } }),
    ),
    ...Array.from(
      { length: GARBLED },
      (_, i) => `{"device":"${AHEAD}","time":${at + i},"readings":{"temperature":none}}`,
    ),
  ]);
  await deadLetters(({ open }) => open === EARLY + GARBLED, "the dead letters of both kinds");

  const page = await stage.open("/dead-letters");
  await loaded(page);
  await chip(page, new RegExp(`Open ${EARLY + GARBLED}`)).waitFor();
  await group(page, /Time in the future.*clock-01/).waitFor();
  await until(() => Date.now() > time + EARLY, { timeoutMs: PATIENCE_MS, what: "the time the device said" });

  await page.getByRole("button", { name: "Resend all…" }).click();
  const dialog = page.getByRole("dialog", { name: "Resend all open dead letters" });
  await dialog
    .getByText(`${EARLY + GARBLED} dead letters: ${EARLY} would be stored now, ${GARBLED} would be refused again.`)
    .waitFor();
  await dialog.getByRole("textbox", { name: "Messages per second" }).fill("20");
  await dialog.getByText("Takes about 3 s.").waitFor();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await dialog.waitFor({ state: "hidden" });
  await deadLetters(({ open }) => open === EARLY + GARBLED, "nothing to be changed by trying");

  const other = await stage.open("/dead-letters");
  await loaded(other);
  await group(page, /Time in the future/).click();
  const panel = page.getByRole("complementary", { name: "Group of dead letters" });
  await panel.getByRole("button", { name: `Resend ${EARLY}…` }).click();
  const some = page.getByRole("dialog", { name: "Resend open dead letters" });
  await some.getByText(`${EARLY} dead letters: all would be stored now.`).waitFor();
  await some.getByRole("textbox", { name: "Messages per second" }).fill("10");
  await some.getByRole("button", { name: `Resend ${EARLY} messages at 10/s` }).click();

  for (const one of [page, other]) {
    const bar = one.getByRole("progressbar", { name: /Time in the future · clock-01/ });
    await bar.waitFor();
    expect(Number(await bar.getAttribute("aria-valuemax"))).toBe(EARLY);
    await one.getByText(`${EARLY} of ${EARLY} sent · ${EARLY} stored`).waitFor();
  }
  await other.reload();
  await other.getByText(`${EARLY} of ${EARLY} sent · ${EARLY} stored`).waitFor();
  await chip(other, new RegExp(`Open ${GARBLED}`)).waitFor();
  await panel.getByText("None is open in this group.").waitFor();
  await other.goto(`/devices/${AHEAD}`);
  await other
    .getByRole("region", { name: "Current values" })
    .getByTitle(String(EARLY - 1), { exact: true })
    .waitFor();
  await other.context().close();
  await page.context().close();
});

test("the keyboard alone: walk, open, discard, take it back, close", async () => {
  const page = await stage.open("/dead-letters");
  await loaded(page);
  await group(page, /Not JSON/).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  const panel = page.getByRole("complementary", { name: "Group of dead letters" });
  await panel.getByRole("heading", { name: "Not JSON" }).waitFor();
  expect(new URL(page.url()).searchParams.get("group")).toBe("notJson//");
  await panel.getByRole("listitem").first().getByRole("button").press("Enter");

  const letter = page.getByRole("complementary", { name: "Dead letter", exact: true });
  await letter.getByRole("button", { name: "Discard", exact: true }).press("Enter");
  await chip(page, /Discarded 1/).waitFor();
  await letter.getByRole("button", { name: "Undo: make it open again" }).press("Enter");
  await chip(page, /Discarded 0/).waitFor();
  await letter.getByText("Taken back").waitFor();

  await page.keyboard.press("Escape");
  await panel.waitFor();
  await page.keyboard.press("Escape");
  await panel.waitFor({ state: "hidden" });
  expect(new URL(page.url()).search).toBe("");
  await page.context().close();
});
