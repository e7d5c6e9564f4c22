import { afterAll, beforeAll, expect, test } from "vitest";
import type { PipelineAnswer } from "@/server/contracts/pipeline";
import { type PostgresServer, startPostgres } from "../engines/postgres";
import { until } from "../waiting";
import { PATIENCE_MS, setStage, type Stage } from "./stage";

let postgres: PostgresServer;
let stage: Stage;
beforeAll(async () => {
  postgres = await startPostgres();
  stage = await setStage({ DATABASE_URL: postgres.url });
});
afterAll(async () => {
  await stage?.close();
  await postgres?.stop();
  expect(stage?.errors ?? []).toEqual([]);
});

test("an engine that goes down is named with its cause and fix on the open page, and so is its return", async () => {
  const page = await stage.open("/health");
  const probe = page.locator('[data-probe="postgres.reachable"]');
  const engines = page.getByRole("region", { name: "Engines" });
  // What passes is folded.
  await page.getByText(/probes pass/).click();
  await probe.getByText(/PostgreSQL .* answers in/).waitFor();
  await engines.getByText("you", { exact: true }).first().waitFor();
  const totals = () => stage.product.get<PipelineAnswer>("/api/v1/pipeline").then((answer) => answer.totals);
  await until(async () => (await totals()).messages > 0, { timeoutMs: PATIENCE_MS, what: "messages" });
  const before = await totals();
  await page.evaluate(() => void ((window as { journeyMark?: boolean }).journeyMark = true));

  await postgres.kill();
  await probe.getByText("PostgreSQL does not answer.").waitFor();
  await probe.getByText(/^Nothing listens on 127\.0\.0\.1:\d+ \(ECONNREFUSED\)\.$/).waitFor();
  await probe.getByText("correct host and port in DATABASE_URL").waitFor();
  await page
    .getByText(/PostgreSQL is down since/)
    .first()
    .waitFor();
  await engines.getByText("Failing").first().waitFor();
  // A sentence is not offered as something to copy and run.
  expect(await probe.getByRole("button").count()).toBe(0);

  const list = page.getByRole("region", { name: "First-run checklist" });
  await list.getByRole("button", { name: "Send a test message" }).click();
  // Nothing is sent that the audit record can't tell of.
  await list.getByText(/PostgreSQL cannot be reached/).waitFor({ timeout: 90_000 });

  await postgres.start();
  await probe.getByText(/PostgreSQL .* answers in/).waitFor({ timeout: 90_000 });
  await until(async () => (await totals().catch(() => before)).messages > before.messages, {
    ...{ timeoutMs: 90_000, what: "messages to be stored again" },
  });
  expect(await page.evaluate(() => (window as { journeyMark?: boolean }).journeyMark)).toBe(true);
  await page.context().close();
});
