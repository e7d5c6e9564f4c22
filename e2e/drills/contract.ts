import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { startReceiver } from "@/server/testing/receiver";
import { fromPyPI } from "../made-programs";
import { runProduct } from "../product";
import { until } from "../waiting";
import { type Checks, createChecks } from "./checks";
import { drained } from "./pipeline";
import { MAPPING, readRecording } from "./recording";
import { openStage } from "./stage";

const CLI = ["datacontract-cli[postgres]==1.2.8"];
const CLIENT = ["openlineage-python==1.54.0"];

interface Contract {
  readonly schema: readonly { readonly quality: readonly { readonly id: string }[] }[];
}

/** Reads events with the classes that OpenLineage's own client has for them, facet by facet; what they don't know, or miss, is an error. */
const JUDGE = `
import importlib, json, pkgutil, sys
import openlineage.client.generated as generated
from openlineage.client import event_v2
from openlineage.client.generated import base
by_schema = {}
for module in pkgutil.iter_modules(generated.__path__):
    for one in vars(importlib.import_module("openlineage.client.generated." + module.name)).values():
        if isinstance(one, type) and hasattr(one, "_get_schema"):
            by_schema[one._get_schema()] = one
def facets(found):
    made = {}
    for name, facet in found.items():
        rest = {key: value for key, value in facet.items() if key not in ("_producer", "_schemaURL")}
        made[name] = by_schema[facet["_schemaURL"]](producer=facet["_producer"], **rest)
    return made
def dataset(kind, found):
    return kind(**{key: facets(value) if key.endswith("acets") else value for key, value in found.items()})
wrong = 0
for line in sys.stdin:
    try:
        event = json.loads(line)
        assert event.pop("schemaURL") == base.RunEvent._get_schema()
        event["run"] = base.Run(event["run"]["runId"], facets(event["run"]["facets"]))
        event["job"] = base.Job(event["job"]["namespace"], event["job"]["name"], facets(event["job"]["facets"]))
        event["inputs"] = [dataset(base.InputDataset, one) for one in event["inputs"]]
        event["outputs"] = [dataset(base.OutputDataset, one) for one in event["outputs"]]
        event["eventType"] = base.EventType[event["eventType"]]
        base.RunEvent(**event)
    except Exception as error:
        wrong += 1
        print(type(error).__name__, error, line[:300])
sys.exit(1 if wrong else 0)
`;

/**
 * Replays a recording, and holds the exported contract of the views against the live database with the real datacontract-cli: it lints, and every check
 * passes. Then a reading comes that is out of range, and exactly the check of its range fails. Meanwhile the OpenLineage events of what ran are taken, and
 * read by OpenLineage's own client. Left out, and named, where Python or the packages aren't to be had.
 */
export async function main(): Promise<number> {
  const cli = fromPyPI("datacontract", CLI);
  const client = fromPyPI("openlineage", CLIENT);
  if ("missing" in cli || "missing" in client) {
    console.log(
      `contract: left out, ${["missing" in cli && cli.missing, "missing" in client && client.missing].filter(Boolean).join(", ")}`,
    );
    return 0;
  }
  const checks = createChecks("contract");
  const recording = readRecording("e2e/fixtures/environment.ndjson");
  const receiver = await startReceiver();
  const stage = await openStage("embedded", "plain", { OPENLINEAGE_URL: receiver.url, DATA_OWNER: "Plant data" });
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-contract-"));
  try {
    const { product } = stage;
    const replayed = await runProduct(["replay", recording.file, ...MAPPING, "--speed", "max", "--url", product.url], {
      FIELDWATCH_DATA_DIR: product.dataDir,
    });
    checks.that("the recording is replayed", replayed.code === 0, replayed.output.slice(-600));
    await drained(product, recording.messages);
    const limits = { min: -50, max: 100 };
    const [metric] = recordedMetrics(await (await product.fetch("/api/v1/metrics")).json());
    const changed = await product.fetch(`/api/v1/metrics/${metric}`, { method: "PATCH", body: JSON.stringify(limits) });
    checks.equal(`the range of ${metric} is set`, changed.status, 200);

    const file = path.join(folder, "contract.json");
    const contract = (await (await product.fetch("/api/v1/quality/contract?form=views")).json()) as Contract;
    const url = new URL(stage.connectionString());
    const { hostname: host, port, pathname } = url;
    const server = { server: "live", type: "postgres", host, port: Number(port), database: pathname.slice(1) };
    writeFileSync(file, JSON.stringify({ ...contract, servers: [{ ...server, schema: "public" }] }));
    const run = (...args: string[]) => datacontract(cli.bin, url, folder, args);
    const linted = run("lint", file);
    checks.that("datacontract lint", linted.status === 0, linted.stdout.slice(-1500));
    const test = () => {
      const { stdout, stderr } = run(
        "test",
        file,
        "--output",
        path.join(folder, "results.json"),
        "--output-format",
        "json",
      );
      return resultsOf(path.join(folder, "results.json"), stdout + stderr);
    };
    const tested = test();
    const bad = tested.filter(({ result }) => result !== "passed");
    const rules = contract.schema.flatMap(({ quality }) => quality).length;
    checks.that(
      `datacontract test passes, ${tested.length} checks, ${rules} of them rules`,
      tested.length > rules && rules >= 4 && bad.length === 0,
      JSON.stringify(bad).slice(0, 1500),
    );
    const hot = { device: "too-hot", time: new Date().toISOString(), readings: { [metric!]: limits.max + 1 } };
    await product.fetch("/api/v1/telemetry", { method: "POST", body: JSON.stringify(hot) });
    await drained(product, recording.messages + 1);
    const failed = test().filter(({ result }) => result !== "passed");
    checks.that(
      "of a reading out of range, that check alone fails",
      failed.length === 1 && JSON.stringify(failed[0]).includes(`${metric} outside`),
      JSON.stringify(failed).slice(0, 1500),
    );
    await lineage(checks, receiver.got, client.bin, recording.messages + 1);
  } catch (error) {
    checks.that("it goes through", false, (error as Error).stack ?? String(error));
  } finally {
    await stage.close();
    await receiver.close();
    rmSync(folder, { recursive: true, force: true });
  }
  const code = checks.finish();
  if (code === 0) stage.remove();
  else console.log(`Kept for a look: ${stage.folder}`);
  return code;
}

const recordedMetrics = (answer: unknown) =>
  (answer as { items: readonly { name: string; kind: string }[] }).items
    .filter(({ kind }) => kind === "number")
    .map(({ name }) => name)
    .sort((a, b) => Number(b === "temperature") - Number(a === "temperature"));

function datacontract(bin: string, url: URL, folder: string, args: readonly string[]) {
  return spawnSync(path.join(bin, "datacontract"), args, {
    ...{ cwd: folder, encoding: "utf8" },
    env: {
      ...process.env,
      DATACONTRACT_POSTGRES_USERNAME: decodeURIComponent(url.username),
      DATACONTRACT_POSTGRES_PASSWORD: decodeURIComponent(url.password),
    },
  });
}

function resultsOf(file: string, said: string) {
  try {
    const { checks } = JSON.parse(readFileSync(file, "utf8")) as {
      checks: readonly { result: string; name: string }[];
    };
    rmSync(file);
    return checks;
  } catch {
    throw new Error(`datacontract test left no results:\n${said.slice(-3000)}`);
  }
}

/** Waits until all messages were told of, and has the events judged. */
async function lineage(
  checks: Checks,
  got: readonly { readonly body: string }[],
  bin: string,
  messages: number,
): Promise<void> {
  interface Told {
    readonly job: { readonly name: string };
    readonly outputs: readonly { name: string; outputFacets?: { outputStatistics: { rowCount: number } } }[];
  }
  const told = () =>
    got
      .map(({ body }) => JSON.parse(body) as Told)
      .filter(({ job }) => job.name === "pipeline")
      .flatMap(({ outputs }) => outputs.filter(({ name }) => name.endsWith(".archive_block")))
      .reduce((sum, { outputFacets }) => sum + (outputFacets?.outputStatistics.rowCount ?? 0), 0);
  await until(() => told() >= messages, {
    ...{ timeoutMs: 180_000, what: `the events to tell of ${messages} messages, now ${told()}` },
  }).catch(() => undefined);
  checks.equal("messages that OpenLineage events tell of", told(), messages);
  const judge = (lines: readonly string[]) =>
    spawnSync(path.join(bin, "python"), ["-c", JUDGE], { encoding: "utf8", input: lines.join("\n") });
  const bodies = got.map(({ body }) => body);
  const judged = judge(bodies);
  const wrong = bodies
    .map((body) => body.replaceAll('"rowCount":', '"rowCuont":'))
    .filter((body) => !bodies.includes(body));
  checks.that("it refuses a facet with a typo", wrong.length > 0 && wrong.every((one) => judge([one]).status === 1));
  const names = new Set(got.map(({ body }) => (JSON.parse(body) as Told).job.name));
  checks.that(
    `OpenLineage's own client reads each of ${got.length} events, of ${[...names].join(", ")}`,
    judged.status === 0 && got.length > 4,
    (judged.stdout + judged.stderr).slice(0, 1500),
  );
}
