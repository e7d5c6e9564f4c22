import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { processOf } from "../processes";
import { setStage, type Stage } from "./stage";

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
});
afterAll(async () => {
  await stage?.close();
  expect(stage?.errors ?? []).toEqual([]);
});

test("a health failure is shown with its fix, and goes when it is mended", async () => {
  const page = await stage.open("/health");
  const probe = page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: "A worker is alive" }) });
  // What passes is folded.
  await page.getByText(/probes pass/).click();
  await probe.getByText("1 worker.").waitFor();
  expect(await probe.getByText("npm run worker").count()).toBe(0);

  // A worker that hangs and whose connections the network has dropped: it is out of its group, and nobody restarts it.
  const worker = processOf(stage.product.tree(), "worker");
  expect(worker).toBeDefined();
  process.kill(worker!.pid, "SIGSTOP");
  try {
    await dropConnections(stage.product.connectionString());
    await probe.getByText("No worker is alive.").waitFor({ timeout: 90_000 });
    await probe.getByText("messages are kept in the event log and wait").waitFor();
    await probe.getByText("Fix", { exact: true }).waitFor();
    await probe.getByText("npm run worker").waitFor();
  } finally {
    process.kill(worker!.pid, "SIGCONT");
  }
  await probe.getByText("1 worker.").waitFor({ timeout: 90_000 });
  await page.context().close();
});

async function dropConnections(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  client.on("error", () => {}); // The query that fails says it.
  await client.connect();
  await client.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'fieldwatch worker%'",
  );
  await client.end();
}
