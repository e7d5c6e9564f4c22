import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { type Found, fromGo } from "./made-programs";
import { freePort } from "./product";
import { until } from "./waiting";

const VERSION = "v1.76.0";
const NAME = `jaeger-${VERSION}`;
/** The same as the image of docker/compose.yaml: of v2.13.0, which has no module of its own, and these are its settings. */
const SETTINGS = "docker/observability/jaeger/config.yaml";
const PACKAGE = "github.com/jaegertracing/jaeger/cmd/jaeger";

/** The Jaeger that JAEGER names, or one that is built once through the Go module proxy, if `mayBuild`: some eight minutes of processor time. */
export function findJaeger(mayBuild: boolean): Found {
  const named = process.env.JAEGER;
  if (named !== undefined && existsSync(named)) return { program: named };
  return fromGo(NAME, { onlyBy: mayBuild ? null : "traces" }, [
    ["get", "-tool", `${PACKAGE}@${VERSION}`],
    ["build", "-p", "1", "-trimpath", "-ldflags=-s -w", "-o", "made", PACKAGE],
  ]);
}

type Endpoint = { endpoint: string };

interface Settings {
  readonly extensions: { readonly jaeger_query: object; readonly healthcheckv2: { http: Endpoint } };
  readonly receivers: { readonly otlp: { readonly protocols: { http: Endpoint } } };
}

/** A span as Jaeger tells of it, with the service that told of it. */
export interface JaegerSpan {
  readonly service: string;
  readonly spanId: string;
  /** The span it hangs on; absent: on none. */
  readonly parentSpanId?: string;
  readonly name: string;
  /** The other traces it is linked to. */
  readonly links: readonly string[];
}

interface TracesAnswer {
  readonly data:
    | readonly {
        readonly traceID: string;
        readonly spans: readonly {
          readonly spanID: string;
          readonly operationName: string;
          readonly processID: string;
          readonly references: readonly {
            readonly refType: string;
            readonly traceID: string;
            readonly spanID: string;
          }[];
        }[];
        readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
      }[]
    | null;
}

/** A real Jaeger that runs for a while, and keeps traces in memory. */
export interface Jaeger {
  /** The spans of a trace by the API that Jaeger's own pages and Grafana ask; none while it knows no such trace. */
  trace(id: string): Promise<readonly JaegerSpan[]>;
  /** The ids of traces in which a service did something, the newest first. @param limit at most so many */
  traces(service: string, operation: string, limit: number): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** Runs it by the settings of docker/observability. @param port where it takes OTLP over HTTP, instead of the port that stands there */
export async function startJaeger(program: string, folder: string, port: number): Promise<Jaeger> {
  const [query, grpc, health] = [await freePort(), await freePort(), await freePort()];
  const config = path.join(folder, "jaeger.json");
  const at = (one: number) => ({ endpoint: `127.0.0.1:${one}` });
  const settings = parse(readFileSync(SETTINGS, "utf8")) as Settings;
  const { jaeger_query, healthcheckv2 } = settings.extensions;
  Object.assign(jaeger_query, { http: at(query), grpc: at(grpc) });
  healthcheckv2.http = at(health);
  settings.receivers.otlp.protocols.http = at(port);
  writeFileSync(config, JSON.stringify(settings));
  let said = "";
  const child = spawn(program, ["--config", `file:${config}`], { stdio: ["ignore", "ignore", "pipe"] });
  child.stderr.on("data", (part: Buffer) => (said = (said + part.toString()).slice(-3000)));
  const exited = once(child, "exit");
  const isReady = () =>
    fetch(`http://127.0.0.1:${health}/status`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until(isReady, { timeoutMs: 60_000, what: "Jaeger to be ready" }).catch((error: unknown) => {
    child.kill("SIGKILL");
    throw new Error(`${(error as Error).message}\n${said}`);
  });
  const ask = async (route: string): Promise<NonNullable<TracesAnswer["data"]>> => {
    const answer = await fetch(`http://127.0.0.1:${query}/api/${route}`);
    if (answer.status === 404) return [];
    if (!answer.ok) throw new Error(`Jaeger: GET ${route}: ${answer.status} ${await answer.text()}`);
    return ((await answer.json()) as TracesAnswer).data ?? [];
  };
  return {
    async trace(id) {
      return (await ask(`traces/${id}`)).flatMap(({ traceID, spans, processes }) =>
        spans.map(({ spanID, operationName, processID, references }) => {
          const parent = references.find((one) => one.refType === "CHILD_OF" && one.traceID === traceID);
          return {
            ...{ service: processes[processID]!.serviceName, spanId: spanID, name: operationName },
            ...(parent && { parentSpanId: parent.spanID }),
            links: references.filter((one) => one.traceID !== traceID).map((one) => one.traceID),
          };
        }),
      );
    },
    async traces(service, operation, limit) {
      const wanted = new URLSearchParams({ service, operation, limit: String(limit) });
      return (await ask(`traces?${String(wanted)}`)).map(({ traceID }) => traceID);
    },
    async stop() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
