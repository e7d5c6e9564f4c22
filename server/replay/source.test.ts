import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { splitElements } from "./elements";
import { isBlank, splitLines } from "./lines";
import { parseReplayOptions, type ReplayOptions } from "./options";
import { ReplayUsageError } from "./usage-error";
import { openSource, SourceBroken, type SourceItem } from "./source";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-source-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string | Buffer): string {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
}

async function read(argv: string[], after = { number: 0, bytes: 0 }): Promise<SourceItem[]> {
  const source = await openSource(parseReplayOptions(argv) as ReplayOptions);
  const items: SourceItem[] = [];
  for await (const item of source.items(after)) items.push(item);
  return items;
}

const texts = (items: SourceItem[]) => items.map(({ texts: [text] }) => (text ? Buffer.from(text).toString() : null));

async function* chunked(bytes: Buffer, sizes: number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (let n = 0; at < bytes.length; n++) {
    const size = sizes.length > 0 ? (sizes[n % sizes.length] as number) : bytes.length;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

describe("lines", () => {
  it("are the file's bytes however it is cut into chunks, and say where the next begins (property)", async () => {
    const line = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 10)));
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 5 }),
        fc.boolean(),
        async (lines, sizes, closed) => {
          const file = Buffer.concat(
            lines.flatMap((bytes, n) => (n < lines.length - 1 || closed ? [bytes, Buffer.from("\n")] : [bytes])),
          );
          let found = 0;
          for await (const { bytes, length, end } of splitLines(chunked(file, sizes), 8, 100)) {
            expect(bytes === null).toBe(length > 8);
            expect(end === 100 + file.length || file[end - 101] === 10).toBe(true);
            if (bytes) expect(bytes).toEqual(lines[found]);
            found += 1;
          }
          const lastIsEmpty = !closed && lines.at(-1)?.length === 0;
          expect(found).toBe(lastIsEmpty ? lines.length - 1 : lines.length);
        },
      ),
    );
  });

  it("are blank with JSON's white space alone", () => {
    expect(isBlank(Buffer.from(" \t\r"))).toBe(true);
    expect(isBlank(Buffer.from("\u0000"))).toBe(false);
  });
});

describe("NDJSON", () => {
  const file = () => write("a.ndjson", '\uFEFF{"a":1}\r\n\n{"b":2}\nno json\n{"c":3}');

  it("gives lines as they are, without blank ones and the byte order mark", async () => {
    expect(texts(await read([file()]))).toEqual(['{"a":1}\r', '{"b":2}', "no json", '{"c":3}']);
  });

  it("goes on after any item, plain and packed", async () => {
    const plain = file();
    const items = await read([plain]);
    for (const item of items)
      expect(texts(await read([plain], item))).toEqual(texts(items.filter(({ number }) => number > item.number)));
    const packed = write("a.ndjson.gz", gzipSync('{"a":1}\n{"b":2}\n{"c":3}\n'));
    expect(texts(await read([packed], { number: 1, bytes: 5 }))).toEqual(['{"b":2}', '{"c":3}']);
  });

  it("skips a line that is too long without keeping it", async () => {
    const items = await read([write("long.ndjson", `{"a":1}\n"${"x".repeat(3 * 1024 * 1024)}"\n{"b":2}\n`)]);
    expect(texts(items)).toEqual(['{"a":1}', null, '{"b":2}']);
    expect(items[1]?.refused).toEqual([{ reason: "tooLarge", detail: "3145730 bytes; not sent" }]);
  });
});

describe("a JSON array", () => {
  it("gives its elements", async () => {
    const file = write("a.json", ' [ {"a":[1,{"x":"\\n"}]}, 7,\n {"b":1.5e3} ] ');
    expect(texts(await read([file]))).toEqual(['{"a":[1,{"x":"\\n"}]}', "7", '{"b":1500}']);
    expect(texts(await read([file], { number: 2, bytes: 0 }))).toEqual(['{"b":1500}']);
  });

  it("keeps every digit and every word for what is no number", async () => {
    const odd = '\uFEFF[{"a":NaN,"b":-Infinity,"c":9007199254740993},\n{"a":1e999,"s":"NaN,]\\""}]';
    expect(texts(await read([write("odd.json", odd)]))).toEqual([
      '{"a":NaN,"b":-Infinity,"c":9007199254740993}',
      '{"a":1e999,"s":"NaN,]\\""}',
    ]);
  });

  it("gives elements that aren't JSON as they are, on one line, for the server to name", async () => {
    const file = write("words.json", '[{"a":1},\n{"a":\n True},{"b":[}},null]');
    expect(texts(await read([file]))).toEqual(['{"a":1}', '{"a":  True}', '{"b":[}}', "null"]);
  });

  it("skips an element that is too long without keeping it", async () => {
    const items = await read([write("long.json", `[1,"${"x".repeat(3 * 1024 * 1024)}",{"b":2}]`)]);
    expect(texts(items)).toEqual(["1", null, '{"b":2}']);
  });

  it("is split as it reads, however it is cut into chunks (property)", async () => {
    const space = fc.constantFrom("", " ", "\n", "\t \r\n");
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.json({ depthSize: "small" }), { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 5 }),
        space,
        async (elements, sizes, gap) => {
          const file = Buffer.from(`${gap}[${gap}${elements.join(`${gap},${gap}`)}${gap}]${gap}`);
          const found: unknown[] = [];
          for await (const { bytes, end } of splitElements(chunked(file, sizes), 1e6)) {
            found.push(JSON.parse(bytes!.toString()));
            expect(",]").toContain(String.fromCharCode(file[end - 1]!));
          }
          expect(found).toEqual(elements.map((text) => JSON.parse(text) as unknown));
        },
      ),
    );
  });

  it.each(["{}", "x", "", "[", "[1", '["a', "[1,]", "[,1]", "[1,,2]", "[1]]", "[1]x", "[1}", "[}]"])(
    "that isn't one says where: %s",
    async (text) => {
      const reading = async () => {
        for await (const _ of splitElements(chunked(Buffer.from(text), [1]), 100));
      };
      await expect(reading()).rejects.toThrow(/at byte \d+$/);
    },
  );

  it("is NDJSON in a .json file that begins with an object", async () => {
    expect(texts(await read([write("b.json", '{"a":1}\n{"a":2}\n')]))).toHaveLength(2);
  });

  it("that breaks off gives what came before, then says where", async () => {
    const source = await openSource(
      parseReplayOptions([write("broken.json", '[{"a":1},{"a":2},{"a"')]) as ReplayOptions,
    );
    const found: SourceItem[] = [];
    const reading = (async () => {
      for await (const item of source.items({ number: 0, bytes: 0 })) found.push(item);
    })();
    await expect(reading).rejects.toThrow(SourceBroken);
    expect(found).toHaveLength(2);
  });
});

describe("CSV", () => {
  const nab = () => write("nab.csv", "timestamp,value\n2013-12-02 21:15:00,73.967\n2013-12-02 21:20:00,\n");

  it("becomes messages by a column map", async () => {
    const items = await read([
      nab(),
      "--device-name",
      "machine-1",
      "--time",
      "timestamp",
      "--columns",
      "value=temperature",
    ]);
    expect(texts(items)).toEqual([
      '{"device":"machine-1","time":"2013-12-02T21:15:00.000Z","readings":{"temperature":73.967}}',
      null,
    ]);
  });

  it("takes every other column, labels, zones, epochs, booleans and texts", async () => {
    const file = write(
      "b.csv",
      '\uFEFFdevice;time;site;hot;mode;"t;1"\r\nd1;2026-01-02T03:04;hamburg;true;eco;-1e1\r\nd2;1767323040;;FALSE;;1e999\r\n',
    );
    expect(
      (await read([file, "--delimiter", ";", "--zone", "+02:00"])).map(
        (item) => JSON.parse(Buffer.from(item.texts[0]!).toString()) as unknown,
      ),
    ).toEqual([
      {
        device: "d1",
        time: "2026-01-02T01:04:00.000Z",
        site: "hamburg",
        readings: { hot: true, mode: "eco", t_1: -10 },
      },
      { device: "d2", time: "2026-01-02T03:04:00.000Z", readings: { hot: false, t_1: "1e999" } },
    ]);
  });

  it("says which columns there are when one is missing", async () => {
    await expect(read([nab()])).rejects.toThrow(/no column "time" \(--time\).*timestamp, value/);
    await expect(read([nab(), "--time", "timestamp"])).rejects.toThrow(/--device-name machine-1/);
    await expect(read([nab(), "--time", "timestamp", "--device-name", "m", "--columns", "x"])).rejects.toThrow(
      /"x" \(--columns\)/,
    );
  });
});

describe("a file", () => {
  it.each([
    ["missing", () => path.join(folder, "nothing.ndjson"), /is not there/],
    ["a folder", () => folder, /not a file/],
    ["empty", () => write("empty.ndjson", ""), /is empty/],
    ["binary", () => write("binary.ndjson", Buffer.from([1, 0, 2])), /looks binary/],
    ["UTF-16", () => write("utf16.csv", Buffer.from("\uFEFFa,b", "utf16le")), /is UTF-16/],
    ["of no known format", () => write("what.txt", "hello"), /--format csv/],
  ])("that is %s is refused with what to do", async (_, file, expected) => {
    await expect(read([file()])).rejects.toThrow(expected);
    await expect(read([file()])).rejects.toThrow(ReplayUsageError);
  });
});

describe("the command line", () => {
  it.each([
    [[], /Name the file/],
    [["a", "b"], /One file at a time/],
    [["a", "--speed", "0"], /--speed 60/],
    [["a", "--speed", "fast"], /--speed 60/],
    [["a", "--zone", "Nowhere"], /--zone Europe\/Berlin/],
    [["a", "--url", "ftp://x"], /--url http:/],
    [["a", "--batch", "0"], /--batch/],
    [["a", "--columns", "a="], /--columns value=temperature/],
    [["a", "--device-name", "ä"], /--device-name machine-1/],
    [["a", "--format", "xml"], /--format ndjson/],
    [["a", "--bogus"], /--help/],
    [["a", "--device", ""], /--device is empty/],
  ])("%j is refused with an example", (argv, expected) => {
    expect(() => parseReplayOptions(argv)).toThrow(expected);
  });
});
