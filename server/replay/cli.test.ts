import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startTelemetryDouble, type TelemetryDouble } from "@/server/delivery/telemetry-double";
import { until } from "@/server/testing/until";
import { shiftFor } from "./batches";
import { DECODER_OF as decoderOf } from "@/server/testing/decoders";
import { runReplay } from "./cli";

const FIXTURE = path.resolve("e2e/fixtures/environment.ndjson");
const FOREIGN = ["--device", "device", "--time", "ts", "--readings", "data"];
const fixtureLines = readFileSync(FIXTURE, "utf8").trim().split("\n");

let folder: string;
let server: TelemetryDouble;
let retentionDays: number;
beforeEach(async () => {
  retentionDays = 0;
  folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-replay-"));
  server = await startTelemetryDouble();
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

function run(argv: string[], interrupt?: AbortSignal) {
  let shown = "";
  const output = { write: (text: string) => void (shown += text) };
  const config = {
    server: { HOST: "127.0.0.1", PORT: Number(new URL(server.url).port) },
    dataDir: folder,
    access: {},
    frontDoor: {},
    pipeline: { FUTURE_TOLERANCE_SECONDS: 600, READINGS_RETENTION_DAYS: retentionDays },
  } as Parameters<typeof runReplay>[1];
  const code = runReplay(argv, config, { out: output, error: output, decoderOf, ...(interrupt ? { interrupt } : {}) });
  return code.then((exit) => ({ exit, shown }));
}

function write(name: string, content: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
}

const stateFiles = () => readdirSync(path.join(folder, "replay")).filter((name) => name.endsWith(".json"));

describe("replay", () => {
  it("sends every line as it is, in order, and asks the route for the mapping", async () => {
    const { exit, shown } = await run([FIXTURE, ...FOREIGN, "--batch", "64"]);
    expect(exit).toBe(0);
    expect(server.lines()).toEqual(fixtureLines);
    expect(server.settled).toHaveLength(5);
    const run_ = expect.stringMatching(/^[0-9a-f-]{36}$/) as string;
    expect(Object.fromEntries(server.settled[0]?.query ?? [])).toEqual({ time: "ts", readings: "data", run: run_ });
    expect(new Set(server.settled.map(({ query }) => query.get("run"))).size).toBe(1);
    expect(shown).toMatch(/sent +300\n +accepted +300\n +rejected +0\n +handled +300\n/);
    expect(stateFiles()).toEqual([]);
  });

  it("sends what a file has before it breaks off, and says where in plain words", async () => {
    const rows = Array.from({ length: 700 }, (_, i) => `d,2026-11-27T10:00:00Z,${i}\n`).join("");
    const broken = write("broken.csv", `device,time,a\n${rows}d,2026-11-27T10:00:00Z,"5"6\nd,2026-11-27T10:00:00Z,7\n`);
    const { exit, shown } = await run([broken]);
    expect(exit).toBe(1);
    expect(server.lines()).toHaveLength(700);
    expect(shown).toMatch(
      /sent +700\n[\s\S]*cannot be read as csv after line 701: Invalid Closing Quote[^\n]*\n700 items are/,
    );

    const short = await run([write("short.csv", 'device,time,a\nd,2026-11-27T10:00:00Z,"5"6\n')]);
    expect(short).toMatchObject({
      exit: 1,
      shown: expect.stringMatching(/^\S+ cannot be read as csv: Invalid/) as string,
    });
    const packed = path.join(folder, "junk.csv.gz");
    writeFileSync(packed, Buffer.concat([gzipSync("device,time,a\n"), Buffer.from("no gzip")]));
    expect(await run([packed])).toMatchObject({
      exit: 1,
      shown: expect.stringMatching(/^\S+ cannot be unpacked: incorrect header check\n$/) as string,
    });
  });

  it("counts rows with more fields than the header has names, also behind the first ones", async () => {
    const rows = Array.from({ length: 300 }, (_, i) => `d,2026-11-27T10:00:00Z,${i}${i < 298 ? "," : ",x"}\n`).join("");
    const { exit, shown } = await run([write("long.csv", `device,time,a\n${rows}`)]);
    expect(exit).toBe(0);
    expect(shown).toMatch(/rows longer than the header +2 +fields behind its last name are not read\n/);
  });

  it("hints at what would mend a time: not its format where clocks skipped it, or were not set", async () => {
    const times = async (time: string) =>
      (
        await run([
          write("times.csv", `device,time,a\nd,${time},1\nd,2026-03-29 03:30:00,2\n`),
          "--zone",
          "Europe/Berlin",
          "--check",
        ])
      ).shown;
    expect(await times("2026-03-29 02:30:00")).toMatch(/clocks left out → name the zone they are of with --zone\n/);
    expect(await times("1900-01-01 00:00:00")).toMatch(/is before 1970 → set the clock of what wrote them\n/);
    expect(await times("noon")).toMatch(/--time-format "dd\/MM\/yyyy HH:mm:ss"\n/);
  });

  it("says that there is nothing to replay where there are no rows", async () => {
    for (const [name, content] of [
      ["header.csv", "device,time,a\n"],
      ["blank.ndjson", "\n \n"],
      ["none.json", "[]"],
    ] as const)
      expect(await run([write(name, content)])).toMatchObject({
        exit: 2,
        shown: expect.stringMatching(/has no rows: there is nothing to replay\.\n$/) as string,
      });
  });

  it("names rejected items by reason with the first of each, and sends what cannot be read as it is", async () => {
    const file = write("mixed.ndjson", `{"a":1}\n\nbroken one\n"${"x".repeat(1024 * 1024)}"\nbroken two\n{"b":2}\n`);
    const { exit, shown } = await run([file, "--anyway"]);
    expect(exit).toBe(3);
    expect(shown).toMatch(/Of 60 % of the messages something was refused; 1 % are allowed/);
    expect(server.lines()).toEqual(['{"a":1}', "broken one", "broken two", '{"b":2}']);
    expect(shown).toMatch(
      /sent +5\n +accepted +2\n +rejected +3\n +notJson +2 +line 3: broken one\n +tooLarge +1 +line 4: 1048578 bytes/,
    );
  });

  it("goes on where an interruption stopped it, and begins anew once it is through", async () => {
    const stop = new AbortController();
    server.misbehave(() => {
      if (server.settled.length === 3) stop.abort();
      return false;
    });
    const first = await run([FIXTURE, ...FOREIGN, "--batch", "40"], stop.signal);
    expect(first.exit).toBe(130);
    expect(first.shown).toMatch(/Interrupted\.\n160 items are settled\. The same command goes on/);
    expect(server.lines()).toEqual(fixtureLines.slice(0, 160));

    server.misbehave(null);
    const second = await run([FIXTURE, ...FOREIGN, "--batch", "40"]);
    expect(second.exit).toBe(0);
    expect(second.shown).toMatch(/Going on after item 160/);
    expect(second.shown).toMatch(/sent +300\n/);
    expect(server.lines()).toEqual(fixtureLines);

    await run([FIXTURE, ...FOREIGN]);
    expect(server.lines()).toHaveLength(600);
  });

  it("rides out an outage, and gives up with a way on when it is too long", async () => {
    let failures = 0;
    server.misbehave((_, answer) => server.settled.length === 2 && ++failures <= 3 && !!answer.writeHead(503).end());
    const through = await run([FIXTURE, ...FOREIGN, "--batch", "100"]);
    expect(through.exit).toBe(0);
    expect(through.shown).toMatch(/waiting for the server: 503/);
    expect(server.lines()).toEqual(fixtureLines);

    server.misbehave((_, answer) => server.settled.length === 5 && !!answer.writeHead(503).end());
    const gaveUp = await run([FIXTURE, ...FOREIGN, "--batch", "100", "--wait", "0"]);
    expect(gaveUp.exit).toBe(1);
    expect(gaveUp.shown).toMatch(/Gave up after 0 s.*503[\s\S]*200 items are settled/);

    server.misbehave(null);
    const restarted = await run([FIXTURE, ...FOREIGN, "--restart"]);
    expect(restarted.shown).not.toMatch(/Going on/);
    expect(restarted.shown).toMatch(/sent +300\n/);
  });

  it("says when nothing listens, and when it is no Fieldwatch", async () => {
    const down = await run([FIXTURE, ...FOREIGN, "--url", "http://127.0.0.1:9", "--wait", "0"]);
    expect(down).toMatchObject({
      exit: 1,
      shown: expect.stringMatching(/does not take messages.*npm start/s) as string,
    });
    server.misbehave((_, answer) => !!answer.writeHead(404).end("<html>"));
    expect(await run([FIXTURE, ...FOREIGN])).toMatchObject({
      exit: 1,
      shown: expect.stringMatching(/Is this Fieldwatch/) as string,
    });
  });

  it("judges what is too old as the server does, and by the configuration where that says nothing", async () => {
    const file = write("old.ndjson", '{"device":"d","time":"2020-01-01T00:00:00Z","readings":{"a":1}}\n');
    const check = async () => (await run([file, "--check"])).shown.includes("tooOld");
    const kept = {
      changedAt: null,
      appliesAt: null,
      oldest: null,
      bytes: 0,
      nextMonth: null,
      days: null,
      goneBefore: null,
    };
    const say = (raw: object) =>
      server.answer("retention", {
        ...{ time: "2026-11-28T00:00:00.000Z", others: [], rules: [], rulesApplyAt: null, leastDays: 7 },
        cold: { months: 0, bytes: 0 },
        items: [
          { ...kept, keeps: "raw", ...raw },
          { ...kept, keeps: "minutes" },
        ],
      });
    retentionDays = 30;
    expect(await check()).toBe(true);
    say({});
    expect(await check(), "for ever").toBe(false);
    say({ goneBefore: "2020-01-01T00:00:00.000Z" });
    expect(await check()).toBe(false);
    say({ goneBefore: "2020-02-01T00:00:00.000Z" });
    expect(await check(), "removed before they were kept for ever").toBe(true);
    retentionDays = 0;
    say({ days: 90 });
    expect(await check()).toBe(true);
  });

  it("replays at a speed: the recording's own pace, divided", async () => {
    const start = Date.UTC(2020, 0, 1);
    const file = write(
      "paced.ndjson",
      [0, 10, 20, 30]
        .map((s) => JSON.stringify({ device: "d", time: start + s * 1000, readings: { a: s } }))
        .join("\n"),
    );
    const began = Date.now();
    expect((await run([file, "--speed", "40"])).exit).toBe(0);
    expect(Date.now() - began).toBeGreaterThanOrEqual(650);
    expect(server.settled.length).toBeGreaterThan(2);
    expect(server.lines()).toHaveLength(4);
  });

  it("can be interrupted while it waits for the recording's next moment", async () => {
    const file = write(
      "slow.ndjson",
      '{"device":"d","time":1000000000,"readings":{"a":1}}\n{"device":"d","time":1100000000,"readings":{"a":2}}\n',
    );
    const stop = new AbortController();
    const running = run([file, "--speed", "1"], stop.signal);
    await until(() => server.lines().length === 1);
    await until(() => stateFiles().length === 1);
    stop.abort();
    expect(await running).toMatchObject({ exit: 130, shown: expect.stringMatching(/1 items are settled/) as string });
  });

  it("shifts to now, the same after an interruption, and maps on its own then", async () => {
    const stop = new AbortController();
    server.misbehave(() => {
      stop.abort();
      return false;
    });
    const argv = [FIXTURE, ...FOREIGN, "--shift-to-now", "--batch", "100"];
    await run(argv, stop.signal);
    server.misbehave(null);
    expect((await run(argv)).exit).toBe(0);
    const now = Date.now();
    const sent = server.lines().map((line) => JSON.parse(line) as { device: string; time: number; readings: object });
    const original = fixtureLines.map((line) => JSON.parse(line) as { device: string; ts: number; data: object });
    expect(sent.map(({ device, readings }) => ({ device, data: readings }))).toEqual(
      original.map(({ device, data }) => ({ device, data })),
    );
    const shifts = new Set(sent.map(({ time }, n) => time - Math.floor((original[n]?.ts as number) * 1000 + 0.0005)));
    expect(shifts.size).toBe(1);
    const latest = Math.max(...sent.map(({ time }) => time));
    expect(latest).toBeLessThanOrEqual(now);
    expect(latest).toBeGreaterThan(now - 60_000);
    expect([...(server.settled[0]?.query.keys() ?? [])]).toEqual(["run"]);
  });

  it("gives every message one device when asked to", async () => {
    const file = write("nameless.ndjson", '{"t":1,"v":{"a":1}}\nbroken\n');
    await run([file, "--time", "t", "--readings", "v", "--device-name", "d-1", "--max-refused", "50"]);
    expect(server.lines()).toEqual(['{"device":"d-1","time":1,"readings":{"a":1}}', "broken"]);
  });

  it("says again what a message said more than once, for the worker to refuse by name", async () => {
    const file = write("twice.ndjson", '{"device":"x","device":"y","time":1,"readings":{"a":1,"a":2,"b":3}}\n');
    await run([file, "--device-name", "d-1", "--max-refused", "100"]);
    const list = write("twice.json", '[\n  {"device":"x","time":1,\n  "readings":{"a":1,"a":2,"b":3}}]');
    await run([list, "--max-refused", "100"]);
    expect(server.lines()).toEqual([
      '{"device":"d-1","time":1,"readings":{"a":2,"b":3,"a":2}}',
      '{"device":"x","time":1,"readings":{"a":2,"b":3,"a":2}}',
    ]);
  });

  it("sends more than five thousand messages a second", async () => {
    const file = write(
      "many.ndjson",
      Array.from(
        { length: 30_000 },
        (_, n) => `{"device":"d-${n % 9}","time":${1.7e12 + n},"readings":{"a":${n}}}\n`,
      ).join(""),
    );
    const began = Date.now();
    expect((await run([file])).exit).toBe(0);
    expect(30_000 / ((Date.now() - began) / 1000)).toBeGreaterThan(5000);
    expect(server.lines()).toHaveLength(30_000);
  });

  it("explains itself", async () => {
    expect(await run(["--help"])).toMatchObject({
      exit: 0,
      shown: expect.stringContaining("--shift-to-now") as string,
    });
    expect(await run([])).toMatchObject({ exit: 2, shown: expect.stringContaining("For example") as string });
    expect(await run([path.join(folder, "no.ndjson")])).toMatchObject({ exit: 2 });
  });
});

describe("a shift", () => {
  it("never puts a message ahead of the clock when it goes out", () => {
    const [first, latest, now] = [1000, 61_000, 1_000_000];
    for (const speed of [0.5, 1, 2, 60, Infinity]) {
      const shift = shiftFor({ first, latest }, speed, now);
      for (const event of [first, 30_000, latest])
        expect(event + shift).toBeLessThanOrEqual(now + (event - first) / speed + 1);
    }
    expect(shiftFor({ first, latest }, 1, now)).toBe(now - first);
    expect(shiftFor({ first, latest }, Infinity, now)).toBe(now - latest);
  });
});
