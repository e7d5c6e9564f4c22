import { LOG_FIELDS, type LogField } from "./fields";

const INTRODUCTION = `# Logs

The table of fields is generated from \`server/observability/logs/fields.ts\` by \`npm run generate\`.

Every process writes its log to its output: one JSON object a line with \`LOG_FORMAT=json\`, which is what comes of \`auto\` without a terminal, or the same by the
names of the [Elastic Common Schema](https://www.elastic.co/guide/en/ecs/current/index.html) (8.11) with \`LOG_FORMAT=ecs\`. Nothing is written to files; what runs the
processes keeps their output. With Docker Compose: \`docker compose logs --no-log-prefix web worker\`.

\`\`\`json
{"level":"error","time":"2026-11-29T17:20:11.482Z","role":"web","pid":41,"request_id":"7d1f4c0e-5b0a-4a55-9a0e-2f6d2c8e9b11","trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331","error":{"type":"DatabaseError","code":"57014","message":"canceling statement due to statement timeout","stack":"…"},"details":{"path":"/api/v1/devices"},"msg":"a request failed"}
\`\`\`

A start that can't go on is told to people as text on the error output, and so is what Node itself says when a process dies. The engines have logs of their own; the
embedded PostgreSQL's is \`postgres.log\` in the data folder.
`;

const FURTHER = `## What is never in there

No password, key, session, link or certificate, and nothing of a message or a reading: of an error its class, code and message are told, without the values that
PostgreSQL and JSON.parse quote, and without the arguments of a query. Addresses of requests are told without their query, and only with errors. Names of devices, sources,
sites and topics can be there, as they are in addresses and particulars.

The link by which a new installation gets its owner is printed for people (\`LOG_FORMAT=pretty\`, or a terminal) and never in a line for machines:
\`npm run sign-in-link\` makes one.

## Lines that repeat

Of lines of info, warn or error that say the same (level, text and error code), ten a minute are written; those that follow are counted, and told in one line with
the particulars of the last: \`"repeats":118,"msg":"an engine is away: retrying … 118 more like this"\`. That line comes at the end of the minute, with the next such
line, or as the process ends. Trace and debug lines aren't held back: who asks for them wants all of them.

## Another level without a restart

- \`PATCH /api/v1/log-level\` with \`{"level":"debug","minutes":30}\`, by an admin, for every process: web, worker and intake see it within 5 s, and web tells the
  supervisor and the simulator it starts. After \`minutes\` (60 unless given; null: never) each goes by its \`LOG_LEVEL\` again, as it does with \`{"level":null}\`. It is in
  the audit record. \`GET\` tells what holds.
- \`kill -USR2 <pid>\` turns debug lines of one process on, and off again; of the supervisor (\`npm start\`) those of everything it runs. It needs no database. Windows
  has no such signal.

At debug, web tells every request: method, kind of route, status and time, with its \`request_id\`.

## Into a log store

\`npm run drill -- logs\` sends the lines of a boot, an engine's outage and a stop to a real VictoriaLogs, unchanged, by both of its routes below. Elasticsearch and Loki
themselves were not at hand: their recipes follow their documentation, and the \`_bulk\` route is the one that was tried.

### VictoriaLogs

\`/insert/jsonline\` takes the lines as they are:

\`\`\`sh
docker compose logs --no-log-prefix --no-color web worker \\
  | curl -sS -T - -X POST -H 'Content-Type: application/stream+json' \\
    'http://victorialogs:9428/insert/jsonline?_msg_field=msg&_time_field=time&_stream_fields=role'
\`\`\`

All lines of a request: \`request_id:="7d1f…"\`. Of a trace: \`trace_id:="0af7…"\`. Errors by code: \`level:error | stats by (error.code) count()\`.

### Elasticsearch and OpenSearch

With \`LOG_FORMAT=ecs\`, Filebeat needs no processor but the one that reads JSON:

\`\`\`yaml
filebeat.inputs:
  - type: container
    paths: [/var/lib/docker/containers/*/*.log]
    parsers:
      - ndjson:
          target: ""
          overwrite_keys: true
          add_error_key: true
          expand_keys: true
output.elasticsearch:
  hosts: ["https://elasticsearch:9200"]
\`\`\`

Particulars of different lines may have values of different types under one name. Map them as one field, so that no line is refused:

\`\`\`json
{ "mappings": { "properties": { "fieldwatch": { "properties": { "details": { "type": "flattened" } } } } } }
\`\`\`

Without an agent, the \`_bulk\` route takes each line after \`{"create":{}}\`.

### Loki

Labels have few values, so the role and the level are labels, and ids are found in the line:

\`\`\`alloy
loki.process "fieldwatch" {
  stage.json {
    expressions = { level = "level", role = "role", time = "time" }
  }
  stage.timestamp {
    source = "time"
    format = "RFC3339Nano"
  }
  stage.labels {
    values = { level = "", role = "" }
  }
  forward_to = [loki.write.default.receiver]
}
\`\`\`

\`{role="web"} | json | request_id="7d1f…"\`.

The profile \`observability\` of Docker Compose runs Loki with Alloy ([docker.md](docker.md#prometheus-grafana-jaeger-and-loki)); its \`docker/observability/alloy/config.alloy\` also keeps the ids of traces and requests as structured metadata, by which Grafana leads
from a line to its trace and back.
`;

/** The text of docs/logs.md. */
export function logsPage(): string {
  const rows = (Object.entries(LOG_FIELDS) as [string, LogField][]).map(
    ([name, { ecs, type, when, about }]) => `| \`${name}\` | \`${ecs}\` | ${type} | ${when} | ${about} |`,
  );
  const head = "| field | with LOG_FORMAT=ecs | type | when | meaning |\n| --- | --- | --- | --- | --- |";
  const ecs =
    'With `ecs`, a line also has `"ecs.version":"8.11.0"` and `"service.name":"fieldwatch"`, and `service.node.roles` is a list of one.';
  return `${INTRODUCTION}\n## Fields\n\n${head}\n${rows.join("\n")}\n\n${ecs} A name, once here, keeps its type and meaning; fields may be added.\n\n${FURTHER}`;
}
