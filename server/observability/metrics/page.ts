import { METRICS, type MetricDefinition, PARTS } from "./definitions";

const INTRODUCTION = `# Metrics

Generated from \`server/observability/metrics/definitions.ts\` by \`npm run generate\`.

Every role serves its metrics to Prometheus, and to all that reads its format or OpenMetrics:

| role      | where                                                   |
| --------- | ------------------------------------------------------- |
| web       | \`/metrics\` at \`PORT\`                                    |
| worker    | \`/metrics\` at \`METRICS_PORT\`, if that is set            |
| intake    | \`/metrics\` at the port after it                         |
| simulator | \`/metrics\` at the port after that                       |

Web has a page of that address, too: metrics go to whoever asks for \`text/plain\` or OpenMetrics, as Prometheus does, and the page to browsers. By hand:
\`curl -H "Accept: text/plain" -H "Authorization: Bearer $KEY" http://localhost:3000/metrics\`.

Web answers networks of \`METRICS_NETWORKS\`, and keys of services with the role viewer at all sites (page Keys). The other roles answer this machine and
\`METRICS_NETWORKS\`, and listen on this machine alone until \`METRICS_HOST\` says otherwise. A network needs PostgreSQL for nothing, so it is the better way to
watch an outage. Prometheus' Host header must be one that web answers for: \`ALLOWED_HOSTS\`.

Who doesn't scrape sets \`OTEL_METRICS_EXPORTER=otlp\` and \`OTEL_EXPORTER_OTLP_ENDPOINT\`: every role then sends the same metrics by OTLP over HTTP each \`OTEL_METRIC_EXPORT_INTERVAL\`, as
sums since the beginning, so that a receiver that was away misses none. \`service.name\` is \`fieldwatch-web\` and so on, \`service.instance.id\` the process. \`npm run drill -- traces\` tries it on a real OpenTelemetry Collector.

**Kept** metrics are read at each scrape from what PostgreSQL and the event log hold: the same from every web process, equal to what the pages and
\`GET /api/v1/pipeline\` tell, and set back by no restart. With several web processes take one (\`max without (instance)\`), don't add them up. Those of a
**process** begin with it. What can't be known is absent, never 0; \`fieldwatch_collector_up\` says which part could not be read.

No label names a device, a message or a person: the number of series doesn't grow with the fleet. Recording and alert rules for
Prometheus are in [docker/observability](../docker/observability), with [runbooks](runbooks.md), and dashboards for Grafana, which show every metric there is. With
Docker Compose both run beside Fieldwatch: [docker.md](docker.md#prometheus-grafana-jaeger-and-loki). \`npm run drill -- prometheus\` asks a real Prometheus for all of them.
`;

/** The text of docs/metrics.md. */
export function metricsPage(): string {
  const all = Object.entries(METRICS) as [string, MetricDefinition][];
  const parts = PARTS.map((part) => {
    const rows = all
      .filter(([, definition]) => definition.part === part)
      .map(([name, { kind, labels, on, source, help }]) => {
        const told = labels.map((label) => `\`${label}\``).join(", ");
        return `| \`${name}\` | ${kind} | ${told} | ${on.join(", ")} | ${source} | ${help.replaceAll("|", "\\|")} |`;
      });
    return `## ${part}\n\n| name | kind | labels | served by | source | meaning |\n| --- | --- | --- | --- | --- | --- |\n${rows.join("\n")}\n`;
  });
  return `${INTRODUCTION}\n${parts.join("\n")}`;
}
