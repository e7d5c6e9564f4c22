import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startTelemetryDouble, type TelemetryDouble } from "@/server/delivery/telemetry-double";
import type { MappingInput } from "@/server/domain/mapping/mapping";
import { DECODER_OF as decoderOf } from "@/server/testing/decoders";
import { runReplay } from "./cli";

let folder: string;
let server: TelemetryDouble;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-mapping-"));
  server = await startTelemetryDouble();
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function run(...argv: string[]) {
  let shown = "";
  const output = { write: (text: string) => void (shown += text) };
  const config = {
    server: { HOST: "127.0.0.1", PORT: Number(new URL(server.url).port) },
    ...{ dataDir: folder, access: {}, frontDoor: {} },
    pipeline: { FUTURE_TOLERANCE_SECONDS: 600, READINGS_RETENTION_DAYS: 0 },
  } as Parameters<typeof runReplay>[1];
  const exit = await runReplay(argv, config, { out: output, error: output, decoderOf });
  return { exit, shown };
}

function write(name: string, content: string | Buffer | object): string {
  const file = path.join(folder, name);
  writeFileSync(file, typeof content === "string" || Buffer.isBuffer(content) ? content : JSON.stringify(content));
  return file;
}

const TANKS: MappingInput = {
  decode: "json",
  when: [{ value: "{type}", equals: ["up"] }],
  device: ["{dev}"],
  time: [{ from: { path: "at" }, format: "local", zone: "Europe/Berlin" }],
  readings: [{ root: "data" }],
  units: [{ metric: "t", from: { unit: "°F" } }],
};

describe("a mapping in a file", () => {
  it("reads a recording by the decoder it names, and tells what is lost by line", async () => {
    const lines = [
      '{"type":"up","dev":"a","at":"2026-11-20T10:00:00","data":{"t":"212","n":1}}',
      '{"type":"join","dev":"a"}',
      "",
      '{"type":"up","at":"2026-11-20T10:00:00","data":{"t":1}}',
      "broken",
      '{"type":"up","dev":"a","data":{"t":1}}',
    ];
    const { exit, shown } = await run(write("up.ndjson", lines.join("\n")), "--mapping", write("m.json", TANKS));
    expect(server.lines().map((line) => JSON.parse(line) as unknown)).toEqual([
      { device: "a", time: "2026-11-20T09:00:00.000Z", readings: { t: 100, n: 1 }, units: { t: "°C" } },
    ]);
    expect(shown).toMatch(/data\.t +t +number, °C +100\n/);
    expect(shown).toMatch(/rejected +3\n +noDevice +1 +line 4: .*\n +unreadable +1 +line 5: .*\n +noTime +1 +line 6/);
    expect(shown).toMatch(/Of these nothing was taken: line 4, line 5, line 6\.\n/);
    expect(exit).toBe(3);
  });

  it("reads lines that are no JSON, also of two gzip members", async () => {
    const influx: MappingInput = {
      decode: "influx",
      device: ["{tags.host}"],
      time: [{ from: { path: "time" }, format: "ns" }],
      readings: [{ root: "fields" }],
    };
    const packed = Buffer.concat(
      ["cpu,host=a load=1 1795773600000000000\n", "cpu,host=b load=2 1795773600000000000\n"].map((line) =>
        gzipSync(line),
      ),
    );
    const { exit } = await run(write("x.lp.gz", packed), "--mapping", write("m.json", influx));
    expect(exit).toBe(0);
    expect(server.lines()).toHaveLength(2);
  });

  it("is written of what was said and found, and reads the same again", async () => {
    const file = write("a.csv", "when;T (°F);id\n27.11.2026 10:00;1,5;007\n28.11.2026 10:00;2,5;008\n");
    const mapping = path.join(folder, "saved.json");
    const said = ["--device-name", "d", "--time", "when", "--zone", "Europe/Berlin"];
    expect((await run(file, ...said, "--save-mapping", mapping)).exit).toBe(0);
    const first = server.lines();
    expect(JSON.parse(first[0]!)).toEqual({
      ...{ device: "d", time: "2026-11-27T09:00:00.000Z", readings: { T: 1.5, id: "007" }, units: { T: "°F" } },
    });
    expect(JSON.parse(readFileSync(mapping, "utf8"))).toMatchObject({ decode: "csv", csv: { delimiter: ";" } });
    expect((await run(file, "--mapping", mapping)).exit).toBe(0);
    expect(server.lines().slice(first.length)).toEqual(first);
  });

  it("moves in time with all it makes", async () => {
    const file = write("a.csv", "device,time,a\nlong-name,2020-01-01T00:00:00.250Z,1\nb,2020-01-01T00:00:01Z,2\n");
    await run(file, "--shift-to-now");
    const sent = server.lines().map((line) => JSON.parse(line) as { device: string; time: string });
    expect(sent.map(({ device }) => device)).toEqual(["long-name", "b"]);
    const [first, last] = sent.map(({ time }) => Date.parse(time));
    expect(last! - first!).toBe(750);
    expect(Math.abs(Date.now() - last!)).toBeLessThan(60_000);
  });

  it("that is none is refused with what is wrong, and so is one beside its parts", async () => {
    const file = write("a.ndjson", "{}\n");
    const bad = await run(file, "--mapping", write("m.json", { decode: "yaml", device: [] }));
    expect(bad).toMatchObject({ exit: 2, shown: expect.stringMatching(/no mapping:\n {2}decode: /) as string });
    expect((await run(file, "--mapping", "m.json", "--time", "t")).shown).toMatch(/take --time away/);
    expect((await run(file, "--mapping", "m.json", "--source", "s")).shown).toMatch(/one of both/);
    expect((await run(file, "--save-mapping", "m.json")).shown).toMatch(/no mapping reads this file/);
    const csv = write("a.csv", "device,time,a\nd,2020-01-01T00:00:00Z,1\n");
    const nowhere = await run(csv, "--save-mapping", path.join(folder, "none", "m.json"));
    expect(nowhere).toMatchObject({ exit: 2, shown: expect.stringMatching(/can't be written: ENOENT/) as string });
  });
});

describe("options beside paths", () => {
  it("make a mapping of JSON, too", async () => {
    const file = write("a.ndjson", '{"dev":"a","t":"1795773600123456789","v":{"x":"1,5","y":"-999","s":"ON"}}\n');
    const said = ["--device", "dev", "--time", "t", "--readings", "v", "--time-format", "ns", "--decimal", "comma"];
    expect((await run(file, ...said, "--missing", "-999", "--booleans", "on/off")).exit).toBe(0);
    expect(server.lines()).toEqual(['{"device":"a","time":"2026-11-27T10:00:00.123Z","readings":{"x":1.5,"s":true}}']);
  });
});

describe("a dry run", () => {
  it("sends nothing, and names what would be lost", async () => {
    const rows = "device,time,a\nd,2026-11-20T10:00:00Z,1\nd,soon,2\nd,2026-11-20T10:00:01Z,\n";
    const { exit, shown } = await run(write("a.csv", rows), "--dry-run");
    expect(shown).toMatch(/badTime \(1\): line 3: "soon".*\nOf these nothing would be taken: line 3\.\n/);
    expect(shown).toMatch(/1 row without a value: not sent/);
    expect(exit).toBe(3);
    expect(server.attempts).toBe(0);
    const good = await run(write("b.csv", rows.replace("soon", "2026-11-20T10:00:02Z")), "--dry-run");
    expect(good).toMatchObject({ exit: 0, shown: expect.not.stringContaining("Replaying") as string });
  });
});

describe("a row that is lost among many", () => {
  it("makes the exit code 3, unless it was allowed", async () => {
    const row = (i: number) => `d,${i === 450 ? "?" : new Date(1.7e12 + i * 1000).toISOString()},${i}\n`;
    const file = write("a.csv", `device,time,a\n${Array.from({ length: 500 }, (_, i) => row(i)).join("")}`);
    const { exit, shown } = await run(file);
    expect(shown).toMatch(/Of these nothing was taken: line 452\./);
    expect(exit).toBe(3);
    expect((await run(file, "--max-refused", "1")).exit).toBe(0);
  });
});
