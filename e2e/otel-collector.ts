import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { cache, type Found, madeIn } from "./made-programs";
import { until } from "./waiting";

const VERSION = "0.161.0";
const NAME = `otelcol-v${VERSION}`;
const MODULES = [
  "github.com/open-telemetry/opentelemetry-collector-contrib/exporter/fileexporter",
  "go.opentelemetry.io/collector/otelcol",
  "go.opentelemetry.io/collector/receiver/otlpreceiver",
].map((module) => `${module}@v${VERSION}`);

/** A collector that takes OTLP and writes what it got as lines of JSON. */
const MAIN = `package main

import (
	"log"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/fileexporter"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
)

func factories() (found otelcol.Factories, err error) {
	found.Telemetry = otelconftelemetry.NewFactory()
	if found.Receivers, err = otelcol.MakeFactoryMap[receiver.Factory](otlpreceiver.NewFactory()); err != nil {
		return
	}
	found.Exporters, err = otelcol.MakeFactoryMap[exporter.Factory](fileexporter.NewFactory())
	return
}

func main() {
	command := otelcol.NewCommand(otelcol.CollectorSettings{
		BuildInfo: component.BuildInfo{Command: "otelcol", Version: "${VERSION}"},
		Factories: factories,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			DefaultScheme:     "file",
			ProviderFactories: []confmap.ProviderFactory{fileprovider.NewFactory()},
		}},
	})
	if err := command.Execute(); err != nil {
		log.Fatal(err)
	}
}
`;

/** The program that OTEL_COLLECTOR names, or one that is built once through the Go module proxy. */
export function findCollector(): Found {
  const named = process.env.OTEL_COLLECTOR ?? path.join(cache(), NAME);
  if (existsSync(named)) return { program: named };
  return madeIn(NAME, (folder, run) => {
    writeFileSync(path.join(folder, "main.go"), MAIN);
    run("go", ["mod", "init", "otelcol"]);
    run("go", ["get", ...MODULES]);
    run("go", ["mod", "tidy"]);
    run("go", ["build", "-trimpath", "-ldflags=-s -w", "-o", "otelcol", "."]);
    return path.join(folder, "otelcol");
  });
}

/** A span as the collector writes it, with the service that told of it. */
export interface CollectedSpan {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly links?: readonly { readonly traceId: string }[];
}

interface Resource {
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[];
}

interface MetricsLine {
  readonly resourceMetrics: readonly {
    readonly resource: Resource;
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly sum?: { readonly dataPoints: readonly { readonly asDouble: number }[] };
      }[];
    }[];
  }[];
}

interface Line {
  readonly resourceSpans?: readonly {
    readonly resource: Resource;
    readonly scopeSpans: readonly { readonly spans: readonly Omit<CollectedSpan, "service">[] }[];
  }[];
}

/** A real OpenTelemetry Collector that runs for a while. */
export interface Collector {
  readonly url: string;
  /** The spans it has got so far. */
  spans(): readonly CollectedSpan[];
  /** The latest sum over all series of a metric that a service sent; null: none was. */
  sumOf(service: string, metric: string): number | null;
  stop(): Promise<void>;
}

/** @param port where it listens. */
export async function startCollector(program: string, folder: string, port: number): Promise<Collector> {
  const out = path.join(folder, "spans.jsonl");
  const metrics = path.join(folder, "metrics.jsonl");
  const config = path.join(folder, "collector.json");
  const endpoint = `127.0.0.1:${port}`;
  writeFileSync(
    config,
    JSON.stringify({
      receivers: { otlp: { protocols: { http: { endpoint } } } },
      exporters: {
        file: { path: out, append: true, flush_interval: "200ms" },
        "file/metrics": { path: metrics, append: true, flush_interval: "200ms" },
      },
      service: {
        telemetry: { metrics: { level: "none" }, logs: { level: "error" } },
        pipelines: {
          traces: { receivers: ["otlp"], exporters: ["file"] },
          metrics: { receivers: ["otlp"], exporters: ["file/metrics"] },
        },
      },
    }),
  );
  let said = "";
  const child = spawn(program, ["--config", `file:${config}`], { stdio: ["ignore", "ignore", "pipe"] });
  child.stderr.on("data", (part: Buffer) => (said += part.toString()));
  const exited = once(child, "exit");
  const url = `http://${endpoint}`;
  await until(async () => (await fetch(url).catch(() => null)) !== null, {
    ...{ timeoutMs: 60_000, what: "the collector to listen" },
  }).catch((error: unknown) => {
    child.kill("SIGKILL");
    throw new Error(`${(error as Error).message}\n${said.slice(-1500)}`);
  });
  return {
    url,
    spans: () => linesIn<Line>(out).flatMap(spansIn),
    sumOf(service, metric) {
      const sums = linesIn<MetricsLine>(metrics).flatMap(({ resourceMetrics }) =>
        resourceMetrics
          .filter(({ resource }) => serviceOf(resource) === service)
          .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
          .filter(({ name }) => name === metric)
          .map(({ sum }) => sum!.dataPoints.reduce((all, { asDouble }) => all + asDouble, 0)),
      );
      return sums.at(-1) ?? null;
    },
    async stop() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

/** What a file of the collector's holds; what follows the last end of a line is still being written. */
function linesIn<T>(file: string): T[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as T);
}

const serviceOf = ({ attributes }: Resource) =>
  attributes.find(({ key }) => key === "service.name")?.value.stringValue ?? "";

const spansIn = ({ resourceSpans = [] }: Line) =>
  resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = serviceOf(resource);
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ ...span, service })));
  });
