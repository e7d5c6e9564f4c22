import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { metricsAnswer } from "@/server/contracts/metrics";
import { createApiRig, read } from "@/server/testing/api-rig";
import { DECODER_OF as decoderOf } from "@/server/testing/decoders";
import { runReplay } from "./cli";

const rig = createApiRig();
const SLOW = 60_000;

let folder: string;
let server: Server;
/** Records that are taken, but not given to the log any more: as if no worker ran. */
let isHeldBack = false;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-outcome-"));
  const heldBack = rig.compose({ append: async () => {} });
  server = createServer((request, answer) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const url = new URL(request.url ?? "/", "http://here");
      const headers = { "content-type": request.headers["content-type"] ?? "" };
      const run = /replays\/(.+)$/.exec(url.pathname)?.[1];
      const asked =
        request.method === "POST"
          ? rig.post(Buffer.concat(parts), {
              headers,
              query: url.search.slice(1),
              ...(isHeldBack ? { to: heldBack } : {}),
            })
          : run !== undefined
            ? rig.get("getReplay", { run })
            : rig.get(url.pathname.endsWith("metrics") ? "listMetrics" : "getPipeline");
      void asked.then(async (response) => {
        answer.writeHead(response.status, Object.fromEntries(response.headers));
        answer.end(await response.text());
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

async function run(content: string, ...argv: string[]) {
  const file = path.join(folder, "recording.csv");
  writeFileSync(file, content);
  let shown = "";
  const output = { write: (text: string) => void (shown += text) };
  const config = {
    server: { HOST: "127.0.0.1", PORT: (server.address() as AddressInfo).port },
    access: {},
    frontDoor: {},
    dataDir: folder,
    pipeline: { FUTURE_TOLERANCE_SECONDS: 600, READINGS_RETENTION_DAYS: 0 },
  } as Parameters<typeof runReplay>[1];
  const exit = await runReplay([file, ...argv], config, { out: output, error: output, decoderOf });
  return { exit, shown };
}

const T = "2026-11-2";

test(
  "the closing table tells what the pipeline made of the messages, and a replay of the same is all repeats",
  { timeout: SLOW },
  async () => {
    const content = `device,time,T (degC),note\na,${T}0T10:00:00Z,1.5,x\nb,${T}0T10:00:00Z,2.5,y\n`;
    const first = await run(content);
    expect(first.shown).toMatch(/T \(degC\) +T +number, °C +1.5/);
    expect(first.shown).toMatch(
      /sent +2\n.*accepted +2\n.*rejected +0\n.*handled +2\n.*readings stored +2\n.*repeats +0\n.*conflicts +0\n.*texts +2 .*\n.*dead letters +0\n/,
    );
    expect(first.exit).toBe(0);
    const { items } = await read(metricsAnswer, rig.get("listMetrics"));
    expect(items.find(({ name }) => name === "T")?.unit).toBe("°C");
    const again = await run(content.replace("2.5", "2.75"), "--max-refused", "50");
    expect(again.shown).toMatch(/readings stored +0\n.*repeats +1 .*\n.*conflicts +1 /);
    expect(again.exit).toBe(0);
    expect((await run(content.replace("2.5", "2.75"))).exit).toBe(3);
  },
);

test(
  "more than the stated share of dead letters is a failure, with reasons and examples",
  { timeout: SLOW },
  async () => {
    // The telemetry route takes it: only the worker knows that the metric has readings.
    await run(`device,time,c1\na,${T}1T10:00:00Z,1\n`);
    const rows = Array.from(
      { length: 150 },
      (_, i) => `a,${T}2T10:${String(i % 60).padStart(2, "0")}:0${i % 7}Z,${i < 100 ? i : "bad"},${i}\n`,
    );
    const { exit, shown } = await run(`device,time,c1,c2\n${rows.join("")}`);
    expect(shown).toMatch(/sent +150\n.*accepted +150\n.*rejected +0\n/);
    expect(shown).toMatch(/dead letters +50\n +typeDrift +50 +a: c1: c1 is a string/);
    expect(shown).toMatch(/Of 33.3 % of the messages something was refused; 1 % are allowed/);
    expect(exit).toBe(3);
  },
);

test(
  "nothing is sent when nothing of the first rows can be read, or only a look was asked for",
  { timeout: SLOW },
  async () => {
    const before = (await (await rig.get("getPipeline")).json()) as { totals: { messages: number } };
    const unread = await run("device,time,a\nd,yesterday,1\n");
    expect(unread.shown).toMatch(/badTime \(1\): line 2: "yesterday".*--time-format/);
    expect(unread.shown).toMatch(/nothing was sent.*--anyway/);
    expect(unread.exit).toBe(3);
    const checked = await run(`device,time,a\nd,${T}3T10:00:00Z,1\n`, "--check");
    expect(checked).toMatchObject({ exit: 0, shown: expect.not.stringContaining("Replaying") as string });
    // Judged with what the catalog knows: c1 has readings by now, so that its texts would be refused.
    const drift = await run(`device,time,c1,x\nd,${T}3T10:00:00Z,high,1\n`, "--check");
    expect(drift.shown).toMatch(/typeDrift \(1\).*--missing.*--text/);
    const after = (await (await rig.get("getPipeline")).json()) as { totals: { messages: number } };
    expect(after.totals.messages).toBe(before.totals.messages);
  },
);

test("a worker that does not get to it is waited for, and then named", { timeout: SLOW }, async () => {
  isHeldBack = true;
  const { exit, shown } = await run(`device,time,a\nd,${T}4T10:00:00Z,1\n`, "--wait", "1");
  isHeldBack = false;
  expect(shown).toMatch(/waiting for the server: 1 message not handled yet/);
  expect(shown).toMatch(/handled +0\n +still waiting +1\n/);
  expect(shown).toMatch(/After 1 s: 1 message not handled yet.*All was sent/);
  expect(exit).toBe(1);
});

test(
  "two replays of one file at once: the second is refused by name, and the first is exact",
  { timeout: SLOW },
  async () => {
    const rows = Array.from(
      { length: 400 },
      (_, i) => `two-${i % 3},${new Date(Date.UTC(2026, 9, 1) + i * 1000).toISOString()},${i}\n`,
    );
    const content = `device,time,a\n${rows.join("")}`;
    const argv = ["--batch", "20"];
    const both = await Promise.all([run(content, ...argv), run(content, ...argv)]);
    const [first, second] = both.sort((a, b) => a.exit - b.exit);
    expect(second).toMatchObject({ exit: 2, shown: expect.stringMatching(/already, by process \d+ on/) as string });
    expect(first?.shown).toMatch(/handled +400\n +readings stored +400\n +repeats +0\n/);
    expect(readdirSync(path.join(folder, "replay"))).toEqual([]);
  },
);

test("the help names every option there is", async () => {
  const { shown } = await run("", "--help");
  const options = readFileSync("server/replay/options.ts", "utf8").matchAll(/^ {8}"?([a-z-]+)"?: \{ type/gm);
  for (const [, option] of options) if (option !== "help") expect(shown).toContain(`--${option} `);
});
