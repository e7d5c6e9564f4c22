import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { parseReplayOptions, type ReplayOptions } from "./options";
import { openSource, type Source } from "./source";

const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-csv-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
async function open(content: string | Buffer, ...argv: string[]): Promise<Source> {
  const file = path.join(folder, `${files++}.csv${Buffer.isBuffer(content) && content[0] === 0x1f ? ".gz" : ""}`);
  writeFileSync(file, content);
  return openSource(parseReplayOptions([file, ...argv]) as ReplayOptions);
}

interface Row {
  readonly device: string;
  readonly time: string;
  readonly readings: Record<string, unknown>;
  readonly units?: Record<string, string>;
  readonly ambiguousTime?: boolean;
}

/** The messages of a file; null for a row that is not sent. */
async function read(content: string | Buffer, ...argv: string[]): Promise<(Row | null)[]> {
  const source = await open(content, ...argv);
  const rows: (Row | null)[] = [];
  for await (const { texts } of source.items({ number: 0, bytes: 0 }))
    rows.push(texts[0] ? (JSON.parse(Buffer.from(texts[0]).toString()) as Row) : null);
  return rows;
}

/** What is refused of a file, with its place. */
async function refusals(content: string | Buffer, ...argv: string[]): Promise<string[]> {
  const source = await open(content, ...argv);
  const found: string[] = [];
  for await (const { place, refused } of source.items({ number: 0, bytes: 0 }))
    found.push(...refused.map(({ reason, detail }) => `${place}: ${reason}: ${detail}`));
  return found;
}

const found = async (content: string, ...argv: string[]) => (await open(content, ...argv)).plan!.found;

const readings = async (content: string | Buffer, ...argv: string[]) =>
  (await read(content, ...argv)).map((row) => row && row.readings);
const times = async (fields: readonly string[], ...argv: string[]) =>
  (await read(`time;a\n${fields.map((field) => `${field};1\n`).join("")}`, "--device-name", "d", ...argv)).map(
    (row) => row?.time,
  );
const at = (iso: string) => new Date(iso).toISOString();
const T = "2026-11-27T10:00:00Z";

describe("numbers", () => {
  it("keep ids as text: leading zeros, an exponent after several digits, digits past 2^53", async () => {
    const content = `device,time,t,serial,slot,big\nr,${T},2.5e-3,241408E4,007,98765432109876543210\nr,${T},-1.5E+2,22A,1e3,1\n`;
    expect(await readings(content)).toEqual([
      { t: 0.0025, serial: "241408E4", slot: "007", big: "98765432109876543210" },
      { t: -150, serial: "22A", slot: "1e3", big: "1" },
    ]);
    expect(await readings(content, "--text", "t", "--number", "slot")).toMatchObject([{ t: "2.5e-3" }, { slot: 1000 }]);
    expect(await found(content)).toContain("slot stays text: 007 would lose digits");
    expect((await found(content, "--number", "slot")).join()).not.toMatch(/slot stays text/);
    await expect(read(content, "--text", "x")).rejects.toThrow(/"x" \(--text\)/);
  });

  it("have a decimal comma where the first rows prove it, with dots, spaces or nothing between thousands", async () => {
    const content = `device;time;a;b\nd;${T};21,5;1.013,4\nd;${T};-0,25;1 013,4\nd;${T};22;1.013\n`;
    expect(await readings(content)).toEqual([
      { a: 21.5, b: 1013.4 },
      { a: -0.25, b: 1013.4 },
      { a: 22, b: 1013 },
    ]);
    expect(await found(content)).toContain("numbers have a decimal comma");
  });

  it("are not guessed where they can be meant in two ways, or prove two things", async () => {
    const open_ = `device;time;a\nd;${T};1,234\nd;${T};5\n`;
    await expect(read(open_)).rejects.toThrow(/1,234 may be 1.234 or 1234.*--decimal comma or --decimal point/);
    expect(await readings(open_, "--decimal", "comma")).toEqual([{ a: 1.234 }, { a: 5 }]);
    expect(await readings(open_, "--decimal", "point")).toEqual([{ a: 1234 }, { a: 5 }]);
    await expect(read(`device;time;a;b\nd;${T};1,25;1.25\n`)).rejects.toThrow(
      /decimal comma \(1,25\) and .*point \(1.25\)/,
    );
    expect(await readings(`device,time,a\nd,${T},"1,234.5"\nd,${T},10.000\n`)).toEqual([{ a: 1234.5 }, { a: 10 }]);
  });

  it("have thousands apart by commas wherever a decimal point proves it", async () => {
    const content = `device;time;a\nd;${T};1,234.5\nd;${T};12,345\nd;${T};1,234,567\nd;${T};5\n`;
    expect(await readings(content)).toEqual([{ a: 1234.5 }, { a: 12345 }, { a: 1234567 }, { a: 5 }]);
  });

  it("with a comma that may be between thousands stay text, which is said, until that is stated", async () => {
    const content = `device;time;a;b\nd;${T};1.5;1,234\n`;
    expect(await readings(content)).toEqual([{ a: 1.5, b: "1,234" }]);
    expect(await found(content)).toContain("1,234 stays text; --decimal point takes commas as between thousands");
    expect(await readings(content, "--decimal", "point")).toEqual([{ a: 1.5, b: 1234 }]);
    expect((await found(content, "--decimal", "point")).join()).not.toMatch(/stays text/);
  });

  it("are not guessed where points may be between thousands, and addresses are none", async () => {
    const content = `device;time;a;ip\nd;${T};1.234;192.168.178.100\nd;${T};1.234.567;192.168.178.101\n`;
    await expect(read(content)).rejects.toThrow(/1\.234 may be 1234 or a decimal: 1\.234\.567 .*--decimal comma/);
    expect((await readings(content, "--decimal", "comma", "--text", "ip")).map((row) => row?.["a"])).toEqual([
      1234, 1234567,
    ]);
    expect(await readings(content.replace("1.234.567", "2.5"))).toMatchObject([
      { a: 1.234, ip: "192.168.178.100" },
      { a: 2.5 },
    ]);
  });

  it("may carry their units", async () => {
    const content = `Time,hall temperature,load,note\n${T},21.5 °C,45%,5 V then\n${T},-3 °C,7 %,x\n${T},"1,021.6 °F",8,y\n`;
    const rows = await read(content, "--device-name", "g");
    expect(rows.map((row) => [row?.readings, row?.units])).toEqual([
      [
        { hall_temperature: 21.5, load: 45, note: "5 V then" },
        { hall_temperature: "°C", load: "%" },
      ],
      [
        { hall_temperature: -3, load: 7, note: "x" },
        { hall_temperature: "°C", load: "%" },
      ],
      [{ hall_temperature: 1021.6, load: 8, note: "y" }, { hall_temperature: "°F" }],
    ]);
  });

  it("that are none in a column of numbers stay text, for the pipeline to refuse", async () => {
    const rows = Array.from({ length: 150 }, (_, i) => `d,${T},${i === 120 ? "ERR" : i === 121 ? "007" : i}\n`);
    const read = await readings(`device,time,a\n${rows.join("")}`);
    expect(read.slice(119, 123)).toEqual([{ a: 119 }, { a: "ERR" }, { a: "007" }, { a: 122 }]);
  });
});

describe("fields", () => {
  it("without a value are left out, and rows without any are not sent", async () => {
    const words = [
      "NA",
      "?",
      "null",
      "NaN",
      "-",
      "\\N",
      "N/A",
      " ",
      "unavailable",
      "Unknown",
      "None",
      "---",
      "#VALUE!",
      "-NaN",
    ];
    const content = `device,time,a,b\nd,${T},1,2\n${words.map((word) => `d,${T},${word},3\nd,${T},${word},${word}\n`).join("")}`;
    const read = await readings(content);
    expect(read[0]).toEqual({ a: 1, b: 2 });
    expect(read.slice(1)).toEqual(words.flatMap(() => [{ b: 3 }, null]));
    expect((await found(content)).join()).toMatch(/no value: NA \(3\), \? \(3\)/);
  });

  it("mean no value by words that are named, numbers among them", async () => {
    const content = `device;time;a;b\nd;${T};-200;ERR\nd;${T};-200,0;1,5\nd;${T};200;2,5\n`;
    expect(await readings(content, "--missing", "-200,ERR")).toEqual([null, { b: 1.5 }, { a: 200, b: 2.5 }]);
  });

  it("are booleans by true and false, or by words that are named", async () => {
    const content = `device,time,a,b\nd,${T},TRUE,on\nd,${T},False,OFF\n`;
    expect(await readings(content)).toEqual([
      { a: true, b: "on" },
      { a: false, b: "OFF" },
    ]);
    expect((await readings(content, "--booleans", "on/off"))[1]).toEqual({ a: false, b: false });
  });
});

describe("headers", () => {
  it.each([
    ["T (degC)", "T", "°C"],
    ["T [°F]", "T", "°F"],
    ["wv (m/s), max", "wv_max", "m/s"],
    ["max. wv (m/s)", "max._wv", "m/s"],
    ["rho (g/m**3)", "rho", "g/m³"],
    ["sh (g/kg)", "sh", "g/kg"],
    ["PM2.5 (ug/m3)", "PM2.5", "µg/m³"],
    ["supply [mV]", "supply", "mV"],
    ["speed (RPM)", "speed", "rpm"],
    ["rh (%)", "rh", "%"],
    ["SWDR (W/m²)", "SWDR", "W/m²"],
    ["CO(GT)", "CO_GT", null],
    ["battery_percent", "battery_percent", null],
    ["RH %", "RH", "%"],
    ["T °F", "T_F", "°F"],
    ["wind m/s", "wind_m_s", "m/s"],
    ["Sensor A", "Sensor_A", null],
    ["dust µg/m³ (raw)", "dust_ug_m3_raw", null],
    ["Temperatur außen", "Temperatur_aussen", null],
  ])("%s becomes %s in %s", async (header, metric, unit) => {
    const [row] = await read(`device;time;${header}\nd;${T};1\n`);
    expect(row?.readings).toEqual({ [metric]: 1 });
    expect(row?.units).toEqual(unit === null ? undefined : { [metric]: unit });
  });

  it("of device, time, site and type may be in any case", async () => {
    const [row] = await read(`Device,TIME,Site,Type,a\nd,${T},Werk Köln,CO2 meter,1\n`);
    expect(row).toMatchObject({ device: "d", site: "Werk Köln", type: "CO2 meter", readings: { a: 1 } });
  });

  it("that would become the same metric keep their units in the name, or have to be named", async () => {
    const content = `device,time,T (degC),T (K)\nd,${T},1,274.15\n`;
    expect(await readings(content)).toEqual([{ T_degC: 1, T_K: 274.15 }]);
    await expect(read(`device,time,a b,a/b\nd,${T},1,2\n`)).rejects.toThrow(/would both become a_b.*--columns/);
    await expect(read(`device,time,温度\nd,${T},1\n`)).rejects.toThrow(/--columns "温度=metric_1"/);
    expect(await readings(content, "--columns", "T (K)=kelvin")).toEqual([{ kelvin: 274.15 }]);
  });

  it("that are doubled or missing are named, with a line that helps", async () => {
    const doubled = `device,time,temp,temp\nd,${T},1,2\n`;
    await expect(read(doubled)).rejects.toThrow(/"temp" 2 times.*--header 'device,time,temp_1,temp_2'/);
    expect(await readings(doubled, "--header", "device,time,temp_1,temp_2")).toEqual([{ temp_1: 1, temp_2: 2 }]);
    const none = `2026-11-01 00:00:00,12.5,40\n2026-11-01 00:01:00,12.6,41\n`;
    await expect(read(none, "--device-name", "d")).rejects.toThrow(/names no columns.*--header time,metric_1,metric_2/);
    expect(await readings(none, "--device-name", "d", "--header", "time,a,")).toEqual([{ a: 12.5 }, { a: 12.6 }]);
  });

  it.each([
    [
      "sensor_id;lat;lon;timestamp;P1",
      "7;10.000;20.000;2026-11-01T00:01:00;11.00",
      "--time timestamp",
      "--device sensor_id",
    ],
    ["station,lat,when", "7,10.000,2026-11-01 00:01", "--time when", "--device station"],
    ["mac,ts,temp,station", "aa:00:00:00:00:01,1.6012345E9,2.5,x", "--time ts", "--device station"],
    ["a,b,Logged date", "1.5,2.5,1795773600", '--time "Logged date"', "--device-name machine-1"],
  ])("without device and time are told which may be meant: %s", async (header, row, time, device) => {
    const content = `${header}\n${row}\n`;
    await expect(read(content, "--device-name", "d")).rejects.toThrow(new RegExp(`\\(--time\\).*example: ${time}$`));
    const named = time.slice("--time ".length).replaceAll('"', "");
    await expect(read(content, "--time", named)).rejects.toThrow(new RegExp(`\\(--device\\).*example: ${device}$`));
  });
});

describe("layouts", () => {
  const expected = [
    { t: 1.5, note: "x" },
    { t: 2.5, note: "y" },
  ];
  const rows = (by: string, end: string) =>
    ["device,time,t,note", `d,${T},1.5,x`, `d,${T},2.5,y`].map((row) => row.replaceAll(",", by) + end).join("");

  it.each([
    ["semicolons", rows(";", "\n")],
    ["tabs", rows("\t", "\n")],
    ["pipes", rows("|", "\r\n")],
    ["CR alone", rows(",", "\r")],
    ["a byte order mark", `\uFEFF${rows(",", "\r\n")}`],
    ["a sep= line", `sep=;\r\n${rows(";", "\r\n")}`],
    ["a sep= line after a byte order mark", `\uFEFFsep=|\n${rows("|", "\n")}`],
    [
      "comments above and between",
      `# logger 3\n# site: hall\n${rows(",", "\n").replace("d,", "# again, with commas,\nd,")}`,
    ],
    ["a header that is a comment", `# made by x\n# ${rows(",", "\n")}`],
    ["blank lines and rows", `\n${rows(",", "\n")}\n,,,\n`],
    [
      "gzip of two members",
      Buffer.concat([gzipSync(rows(",", "\n").slice(0, 40)), gzipSync(rows(",", "\n").slice(40))]),
    ],
  ])("with %s are read", async (_, content) => {
    expect((await readings(content)).filter((row) => row !== null)).toEqual(expected);
  });

  it("may have quoted line breaks and quotes, rows too short and too long, and empty tab fields", async () => {
    const content = `"device","time","note","a"\r\nd,${T},"two\r\nlines, ""quoted""",1\r\nd,${T},short\r\nd,${T},long,2,extra\r\n`;
    expect(await readings(content)).toEqual([
      { note: 'two\r\nlines, "quoted"', a: 1 },
      { note: "short" },
      { note: "long", a: 2 },
    ]);
    expect(await readings(`device\ttime\ta\tb\nd\t${T}\t\t2\nd\t${T}\t1\t\n`)).toEqual([{ b: 2 }, { a: 1 }]);
  });

  it("of which most rows have more fields than names are not guessed: a decimal comma may part them", async () => {
    const content = `device,time,a\nd,${T},21,5\nd,${T},22,5\nd,${T},23\n`;
    await expect(read(content)).rejects.toThrow(/2 rows of the first 3 have more fields.*d \| .* \| 21 \| 5.*--header/);
    expect(await readings(content, "--header", "device,time,a,b")).toEqual([
      { a: 21, b: 5 },
      { a: 22, b: 5 },
      { a: 23 },
    ]);
  });

  it("with columns that have no name say which are not read", async () => {
    expect(await found(`device,time,,v,\nd,${T},1,2,3\n`)).toContain(
      "columns 3, 5 have no name that can be kept, and are not read; --header names all columns",
    );
    expect(await found(`device,time,__proto__,v,\nd,${T},1,2,\n`)).toContain(
      "column 3 has no name that can be kept, and is not read; --header names all columns",
    );
  });

  it("in long form are not read as wide ones", async () => {
    const long = `device,time,Parameter,value,uom\nd,${T},temp,21.5,degC\nd,${T},hum,55,%\n`;
    await expect(read(long)).rejects.toThrow(
      /\(temp, hum\) in Parameter\. .*--metric-column Parameter --value-column value --unit-column uom/,
    );
    expect(await readings(long, "--columns", "value")).toEqual([{ value: 21.5 }, { value: 55 }]);
    expect(await readings(long, "--metric-column", "Parameter")).toEqual([{ temp: 21.5 }, { hum: 55 }]);
    expect(await readings(`device,time,channel,value\nd,${T},1,21.5\n`)).toEqual([{ channel: 1, value: 21.5 }]);
  });

  it("that break off within quotes give what came before, then say after which line", async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => `d,${T},${i}\n`).join("");
    const source = await open(`device,time,a\n${rows}d,${T},"5\n`);
    let items = 0;
    const reading = (async () => {
      for await (const _ of source.items({ number: 0, bytes: 0 })) items++;
    })();
    await expect(reading).rejects.toThrow(/cannot be read as csv after line 20001/);
    expect(items).toBe(20_000);
  });

  it("with a preface are read once it is passed over, which the hint says", async () => {
    const content = `Station;Name\nabc;roof\nTime;Temp (°C);Hum\n${T};1,5;40\n${T.replace(":00Z", ":01Z")};2,5;41\n${T.replace(":00Z", ":02Z")};3,5;41\n`;
    await expect(read(content, "--device-name", "n")).rejects.toThrow(
      /example: --skip 2, if .*"Time, Temp \(°C\), Hum"/,
    );
    expect(await readings(content, "--device-name", "n", "--skip", "2")).toEqual([
      { Temp: 1.5, Hum: 40 },
      { Temp: 2.5, Hum: 41 },
      { Temp: 3.5, Hum: 41 },
    ]);
  });

  it("in Latin-1 are read as that, and said to be", async () => {
    const content = Buffer.from(`device;time;T (°C);ort\nd;${T};1,5;Köln\n`, "latin1");
    const { plan } = await open(content);
    expect(plan?.found[0]).toMatch(/Latin-1/);
    expect(await read(content)).toMatchObject([{ readings: { T: 1.5, ort: "Köln" }, units: { T: "°C" } }]);
  });

  it("in Latin-1 are read as that, where their beginning was ASCII too, and as Windows writes it", async () => {
    const many = `d;${T};1;x\n`.repeat(20_000);
    const content = Buffer.concat([
      Buffer.from(`device;time;a;ort\n${many}`),
      Buffer.from(`d;${T};1;K\xf6ln \x80\nd;${T};1;M\xfcnchen\n`, "latin1"),
    ]);
    expect((await readings(content)).slice(-2)).toEqual([
      { a: 1, ort: "Köln €" },
      { a: 1, ort: "München" },
    ]);
  });

  it("in UTF-8 with other bytes further on lose the rows that have those, by name", async () => {
    const content = Buffer.concat([
      Buffer.from(`device;time;a;ort\n${`d;${T};1;Köln\n`.repeat(20_000)}`),
      Buffer.from(`d;${T};2;K\xf6ln\n`, "latin1"),
      Buffer.from(`d;${T};3;Köln\n`),
    ]);
    expect((await readings(content)).slice(-2)).toEqual([null, { a: 3, ort: "Köln" }]);
    expect(await refusals(content)).toEqual([
      "line 20002: unreadable: it has bytes that are not UTF-8, as the rows before it are",
    ]);
  });

  it("in long form become a metric a row, each with its own kind", async () => {
    const content = `entity_id,state,last_changed\nsensor.t,21.5,${T}\nbinary.door,on,${T}\nsensor.t,unavailable,${T}\nsensor.t,21.7,${T}\n`;
    await expect(read(content)).rejects.toThrow(/--metric-column entity_id --value-column state --booleans on\/off/);
    const argv = ["--device-name", "home", "--time", "last_changed", "--metric-column", "entity_id"];
    expect(await readings(content, ...argv, "--value-column", "state", "--booleans", "on/off")).toEqual([
      { "sensor.t": 21.5 },
      { "binary.door": true },
      null,
      { "sensor.t": 21.7 },
    ]);
  });
});

describe("times", () => {
  it("are epochs, with an exponent, by their size or in a stated precision", async () => {
    expect(await times(["1.6012345678859746E9", "1601234568", "1601234568123"])).toEqual([
      at("2020-09-27T19:22:47.885Z"),
      at("2020-09-27T19:22:48.000Z"),
      at("2020-09-27T19:22:48.123Z"),
    ]);
    const moment = at("2026-11-27T10:00:00.123Z");
    expect(await times(["1795773600123456789", "1795773600123456", "1795773600123"])).toEqual([moment, moment, moment]);
    expect(await times(["1795773600123456789"], "--time-format", "ns")).toEqual([moment]);
    expect(await times(["1795773600123456"], "--time-format", "us")).toEqual([moment]);
    expect(await times(["1000"], "--time-format", "ms")).toEqual([at("1970-01-01T00:00:01Z")]);
  });

  it.each([
    ["27.11.2026 10:00:05", []],
    ["2026/11/27 10:00:05", []],
    ["27-Nov-2026 10:00:05", []],
    ["27 Nov 2026 10:00:05", []],
    ["11/27/2026 10:00:05 AM", []],
    ["11/27/2026, 10:00:05 a.m.", []],
    ["20261127 100005", []],
    ["2026-11-27 11:00:05 +0100", []],
    ["2026-11-27 05:00:05", ["--zone", "-05:00"]],
    ["2026-11-27 11:00:05", ["--zone", "Europe/Berlin"]],
    ["27.11.2026 11:00:05", ["--zone", "Europe/Berlin"]],
    ["2026-11-27T10:00:05", []],
    ["Friday, 27 November 2026 10:00:05", ["--time-format", "EEEE, d MMMM yyyy H:mm:ss"]],
    ["10:00:05 27.11.2026", []],
    ["Fri 27/11/26 10h00m05", ["--time-format", "EEE dd/MM/yy HH'h'mm'm'ss"]],
  ])("%s %j is read", async (text, argv) => {
    expect(await times([text], ...argv)).toEqual([at("2026-11-27T10:00:05Z")]);
  });

  it("of a date and a time of day in two columns are joined", async () => {
    const content = "Date;Time;a;;\n13/03/2004;18.00.00;2,6;;\n10/03/2004;19.00.00;2;;\n;;;;\n";
    const argv = ["--device-name", "d", "--time", "Date+Time"];
    expect((await read(content, ...argv)).map((row) => row?.time)).toEqual([
      at("2004-03-13T18:00:00Z"),
      at("2004-03-10T19:00:00Z"),
      undefined,
    ]);
    expect(await found(content, ...argv)).toContain("times: d/M/yyyy H.mm.ss, in UTC, found in the first rows");
  });

  it("that can be read in two ways are not guessed", async () => {
    await expect(times(["10/03/2004 18:00"])).rejects.toThrow(
      /2004-03-10 or 2004-10-03.*"d\/M\/yyyy H:mm".*"M\/d\/yyyy H:mm"/,
    );
    await expect(times(["03/03/2004 18:00"])).rejects.toThrow(/two ways/);
    await expect(times(["46353.4166666667", "46353.42"])).rejects.toThrow(
      /46353\.4166666667 may be 2026-11-27 as spreadsheets count days.*--time-format s/,
    );
    expect(await times(["46353.5"], "--time-format", "s")).toEqual([at("1970-01-01T12:52:33.500Z")]);
    expect(await times(["3", "46353"])).toEqual([at("1970-01-01T00:00:03Z"), at("1970-01-01T12:52:33Z")]);
    await expect(times(["20261127"])).rejects.toThrow(/--time-format yyyyMMdd or --time-format s/);
    expect(await times(["10/03/2004 18:00"], "--time-format", "MM/dd/yyyy HH:mm")).toEqual([
      at("2004-10-03T18:00:00Z"),
    ]);
  });

  it("that fit nothing lose their row by name: also those a zone's clocks skipped", async () => {
    const rows = "device;time;a\nd;29.03.2026 02:30:00;1\nd;29.03.2026 03:30:00;2\n";
    expect((await read(rows, "--zone", "Europe/Berlin")).map((row) => row?.time)).toEqual([
      undefined,
      at("2026-03-29T01:30:00Z"),
    ]);
    expect(await refusals(rows, "--zone", "Europe/Berlin")).toEqual([
      expect.stringMatching(/^line 2: badTime: .*left out/) as string,
    ]);
    const { plan } = await open("device,time,a\nd,yesterday at noon,1\n");
    const zero = `device;time;a\nd;${T};1\nd;0001-01-01 00:00:00;2\n`;
    expect(await refusals(zero)).toEqual(['line 3: badTime: "0001-01-01 00:00:00" is before 1970']);
    expect((await open(zero)).plan?.doubt).toBeNull();
    expect(plan?.doubt).toMatch(/"yesterday at noon" is not a time.*--time-format/);
  });

  it("of the hour that comes twice are read in their order, and marked", async () => {
    const rows = ["02:10", "02:50", "02:05", "03:00"].map((clock) => `d;25.10.2026 ${clock};1\n`);
    const all = await read(`device;time;a\n${rows.join("")}`, "--zone", "Europe/Berlin");
    expect(all.map((row) => [row?.time, row?.ambiguousTime])).toEqual([
      [at("2026-10-25T00:10:00Z"), true],
      [at("2026-10-25T00:50:00Z"), true],
      [at("2026-10-25T01:05:00Z"), true],
      [at("2026-10-25T02:00:00Z"), undefined],
    ]);
  });
});
