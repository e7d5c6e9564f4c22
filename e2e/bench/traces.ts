import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { NO_HEADERS } from "@/server/ports/event-log";
import { startEngines } from "../engines/engines";
import { ROOT } from "../product";
import { type Drained, drainOnce } from "./one-drain";
import { machine, markdownTable, median, ratio } from "./report";
import { fill, openTopics } from "./telemetry-topic";

/** What a drain may lose by traces, as a part of its rate. */
const BAR = 0.02;

/**
 * What traces cost a worker that drains: the same messages from one Kafka, one in a hundred of a trace of its own that its sender records, without traces
 * and with them, in turn; what is sent is taken by a server that only counts. Fails where traces take more than 2 % of the rate.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      messages: { type: "string", default: "300000" },
      rounds: { type: "string", default: "5" },
      /** One message in so many is traced. */
      oneIn: { type: "string", default: "100" },
    },
  });
  const [messages, oneIn] = [Number(values.messages), Number(values.oneIn)];
  let requests = 0;
  const taker = createServer((request, response) => {
    request.resume().on("end", () => {
      requests++;
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  }).listen(0, "127.0.0.1");
  await once(taker, "listening");
  const engines = await startEngines({ kafka: true, postgres: true });
  try {
    const log = await openTopics(engines);
    await fill(log, messages, {
      headersOf: (i) =>
        i % oneIn === 0
          ? { traceparent: `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01` }
          : NO_HEADERS,
    });
    await log.close();
    const endpoint = `http://127.0.0.1:${(taker.address() as AddressInfo).port}`;
    const turns: { name: string; env: Record<string, string>; found: Drained[] }[] = [
      { name: "without", env: {}, found: [] },
      { name: "with traces", env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }, found: [] },
    ];
    for (let round = 0; round < Number(values.rounds); round++)
      // Each is the first in every other round.
      for (const { env, found } of round % 2 === 0 ? turns : turns.toReversed())
        found.push(
          await drainOnce(engines, { main: `${ROOT}/dist/main.mjs`, cwd: ROOT, messages, after: messages / 5, env }),
        );
    const row = (title: string, of: (one: Drained) => number) => {
      const [without, traced] = turns.map(({ found }) => median(found.map(of))) as [number, number];
      return [title, without.toFixed(1), traced.toFixed(1), ratio(traced, without)];
    };
    const rate = ({ rate }: Drained) => rate;
    const rows = [
      row("worker CPU per million messages, s", ({ worker }) => worker),
      row("PostgreSQL CPU per million messages, s", ({ postgres }) => postgres),
      row("messages/s", rate),
    ];
    console.log(
      `${machine()}\n${messages} messages, one in ${oneIn} traced; ${requests} requests with spans were taken\n`,
    );
    console.log(markdownTable(["median", ...turns.map(({ name }) => name), "ratio"], rows));
    const [without, traced] = turns.map(({ found }) => median(found.map(rate))) as [number, number];
    const lost = 1 - traced / without;
    console.log(`\nTraces took ${(lost * 100).toFixed(1)} % of the rate (bar: ${BAR * 100} %).`);
    return requests > 0 && lost <= BAR ? 0 : 1;
  } finally {
    await engines.stop();
    taker.close();
  }
}
