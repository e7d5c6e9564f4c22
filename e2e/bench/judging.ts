import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createCompile, type DeviceRow } from "@/server/alerting/compiled";
import { judgeSample } from "@/server/alerting/judge-sample";
import { Watched } from "@/server/alerting/watched";
import { newDevice } from "@/server/domain/quality/device-checks";
import { ALL_DEFAULTS } from "@/server/domain/quality/all-limits";
import { CheckedDevice } from "@/server/quality/checked";
import { selectorOf } from "@/server/domain/alerts/judged";
import { ruleSpec } from "@/server/domain/alerts/rule";
import { quietRules, SITES, TYPES } from "./fleet-rules";
import { messageLine } from "./messages";
import { machine, markdownTable } from "./report";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What it takes to judge quiet readings of a fleet by many rules, without a database: to compile the rules, to judge, and to remember. */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      rules: { type: "string", default: "1000" },
      devices: { type: "string", default: "10000" },
      messages: { type: "string", default: "1000000" },
    },
  });
  const [count, devices, messages] = [values.rules, values.devices, values.messages].map(Number) as [
    number,
    number,
    number,
  ];
  const rules = quietRules(count, devices).map((written, i) => {
    const spec = ruleSpec.parse(written);
    return { id: i + 1, version: 1, spec, selects: selectorOf("of" in spec ? spec.of : {}) };
  });
  const { readings } = JSON.parse(messageLine(0, 0).line) as { readings: Record<string, number | boolean> };
  const metrics = Object.keys(readings).map((name, i) => ({ id: i + 1, name, min: null, max: null }));
  const rows = Array.from({ length: devices }, (_, id): DeviceRow => {
    const facts = { name: `bench-${id}`, site: SITES[id % SITES.length]!, type: TYPES[id % TYPES.length]!, labels: {} };
    return { id, facts, siteId: 1, gapMs: 1000 + (id % 3) * 10_000, metrics };
  });
  const before = heap();
  let began = process.cpuUsage();
  const compile = createCompile(rules);
  const watched = rows.map((row) => new Watched(row.id, row.facts, row.siteId, compile(row)));
  const compiling = microseconds(began) / devices;
  const memory = heap() - before;
  const ids = metrics.map(({ id }) => id);
  const samples = Array.from({ length: 997 }, (_, i) => {
    const of = JSON.parse(messageLine(i, 0).line) as { readings: Record<string, number | boolean> };
    return Object.values(of.readings).map(Number);
  });
  const changed = new Map();
  const judge = (from: number, to: number) => {
    for (let i = from; i < to; i++) {
      const at = i % devices;
      judgeSample(
        watched[at]!,
        { deviceId: at, time: i, metrics: ids, values: samples[i % 997]! },
        changed,
        () => undefined,
      );
    }
  };
  judge(0, 100_000);
  began = process.cpuUsage();
  judge(100_000, 100_000 + messages);
  const judging = microseconds(began) / messages / metrics.length;
  if (changed.size > 0) throw new Error(`${changed.size} of them aren't quiet`);
  const instances = watched.reduce((sum, { compiled }) => sum + compiled.parts.length, 0);
  const checks = measureChecks(devices, messages, ids, samples);
  const table: [string, string][] = [
    ["rules times series they are for", instances.toString()],
    ["compiling, a device", `${(compiling / 1000).toFixed(4)} ms`],
    ["judging, a reading", `${judging.toFixed(3)} µs`],
    ["memory of all", `${(memory / 2 ** 20).toFixed(1)} MB`],
    ["checking quality, a reading", `${checks.reading.toFixed(3)} µs`],
    ["memory of all for that", `${(checks.memory / 2 ** 20).toFixed(1)} MB`],
  ];
  console.log(`${machine()}\n${count} rules, ${devices} devices\n\n${markdownTable(["", "measured"], table)}`);
  return 0;
}

/** The same of the checks of quality. */
function measureChecks(devices: number, messages: number, ids: readonly number[], samples: readonly number[][]) {
  const limits = { of: () => ALL_DEFAULTS };
  const before = heap();
  const checked = Array.from({ length: devices }, (_, id) => {
    const since = { until: 0, storedAt: 0 };
    return new CheckedDevice(id, newDevice(), new Map(), new Map(), new Set(), limits, since);
  });
  const take = (from: number, to: number) => {
    for (let i = from; i < to; i++) checked[i % devices]!.take(i * 10, i * 10, ids, samples[i % 997]!);
  };
  take(0, 100_000);
  const memory = heap() - before;
  const began = process.cpuUsage();
  take(100_000, 100_000 + messages);
  return { memory, reading: microseconds(began) / messages / ids.length };
}

function microseconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return user + system;
}

/** Bytes that are in use, buffers included. */
function heap(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
