import type { SourcePayload } from "@/server/contracts/sources";
import type { SourceDoor, SourceKind } from "@/server/domain/source";

/** A text to copy into a sender's settings. */
export interface SetupLine {
  readonly label: string;
  readonly text: string;
}

/** What a sender is told, so that it finds the source. */
export interface SetupFacts {
  readonly kind: SourceKind;
  readonly name: string;
  readonly door: SourceDoor["type"];
  /** The key, or what stands in its place. */
  readonly secret: string;
  /** Scheme, host and port of this server as the browser has it. */
  readonly origin: string;
  /** The MQTT listener. */
  readonly mqtt: { readonly host: string; readonly port: number; readonly isSecure: boolean };
  /** What such a sender sends; null while that isn't known. */
  readonly sample: SourcePayload | null;
}

/** What to set where for a source's sender, with address and key filled in; the last is a command that sends one message at once. */
export function setupLines(facts: SetupFacts): readonly SetupLine[] {
  switch (facts.door) {
    case "mqtt":
      return [...(MQTT[facts.kind]?.(facts) ?? mqttFields(facts)), mosquitto(facts)];
    case "http":
      return [...(HTTP[facts.kind]?.(facts) ?? []), curl(facts)];
    default:
      return [];
  }
}

type Lines = Partial<Record<SourceKind, (facts: SetupFacts) => readonly SetupLine[]>>;

const addressOf = ({ origin, name }: SetupFacts) => `${origin}/ingest/${name}`;
const brokerOf = ({ mqtt }: SetupFacts) => `mqtt${mqtt.isSecure ? "s" : ""}://${mqtt.host}:${mqtt.port}`;
const bearer = ({ secret }: SetupFacts) => `Authorization: Bearer ${secret}`;

const HTTP: Lines = {
  influx: (facts) => [telegraf(facts)],
  "telegraf-json": (facts) => [
    {
      label: "telegraf.conf",
      text: [
        `[[outputs.http]]`,
        `  url = "${addressOf(facts)}"`,
        `  data_format = "json"`,
        `  [outputs.http.headers]`,
        `    Authorization = "Bearer ${facts.secret}"`,
      ].join("\n"),
    },
  ],
  "ttn-v3": (facts) => [
    { label: "Webhooks → Add webhook → Custom webhook: Base URL", text: addressOf(facts) },
    { label: "Additional headers", text: bearer(facts) },
    { label: "Enabled event types", text: "Uplink message" },
  ],
  "ttn-v2": (facts) => [
    { label: "HTTP integration: URL", text: addressOf(facts) },
    { label: "Authorization", text: `Bearer ${facts.secret}` },
  ],
  "chirpstack-v4": (facts) => [
    {
      label: "Application → Integrations → HTTP: Event endpoint URL(s), payload encoding JSON",
      text: addressOf(facts),
    },
    { label: "Headers", text: bearer(facts) },
  ],
  "shelly-gen2": (facts) => [{ label: "Webhook (Actions): URL", text: `${addressOf(facts)}?key=${facts.secret}` }],
  "shelly-gen1": (facts) => [{ label: "I/O URL actions: URL", text: `${addressOf(facts)}?key=${facts.secret}` }],
  tasmota: (facts) => [
    {
      label: "Console of the device (a rule that posts each report)",
      text: `Rule1 ON Tele-%topic%#SENSOR DO WebQuery ${addressOf(facts)}/%topic% POST [Content-Type: application/json|${bearer(facts)}] %value% ENDON`,
    },
  ],
  "aws-iot": (facts) => [
    { label: "Rule → HTTPS action: URL (confirm it here when it asks)", text: addressOf(facts) },
    { label: "Header X-Api-Key", text: facts.secret },
  ],
  "azure-event-grid": (facts) => [
    { label: "Event subscription → Web Hook: Subscriber endpoint", text: `${addressOf(facts)}?key=${facts.secret}` },
  ],
  "azure-iot-central": (facts) => [
    { label: "Data export → Webhook destination: Callback URL", text: addressOf(facts) },
    { label: "Authorization: header value", text: `Bearer ${facts.secret}` },
  ],
  otlp: (facts) => [
    {
      label: "Environment of the exporter",
      text: [
        `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=${facts.origin}/v1/metrics`,
        `OTEL_EXPORTER_OTLP_METRICS_HEADERS="Authorization=Bearer%20${facts.secret}"`,
        `OTEL_EXPORTER_OTLP_METRICS_PROTOCOL=http/protobuf`,
      ].join("\n"),
    },
  ],
  prometheus: (facts) => [
    {
      label: "prometheus.yml",
      text: [
        `remote_write:`,
        `  - url: ${facts.origin}/api/v1/prom/write`,
        `    authorization:`,
        `      credentials: ${facts.secret}`,
      ].join("\n"),
    },
  ],
  "ruuvi-gateway": (facts) => [
    { label: "Custom server → HTTP(S): URL", text: addressOf(facts) },
    { label: "User name", text: facts.name },
    { label: "Password", text: facts.secret },
  ],
  enviro: (facts) => [
    {
      label: "config.py",
      text: [
        `destination = "http"`,
        `custom_http_url = "${addressOf(facts)}"`,
        `custom_http_username = "${facts.name}"`,
        `custom_http_password = "${facts.secret}"`,
      ].join("\n"),
    },
  ],
  "thingsboard-device": (facts) => [
    {
      label: "Address instead of http(s)://HOST/api/v1/TOKEN/telemetry, with the device's name for DEVICE",
      text: `${addressOf(facts)}/DEVICE/telemetry?key=${facts.secret}`,
    },
  ],
};

const MQTT: Lines = {
  tasmota: (facts) => [
    {
      label: "Console of the device",
      text: `Backlog MqttHost ${facts.mqtt.host}; MqttPort ${facts.mqtt.port}; MqttUser ${facts.name}; MqttPassword ${facts.secret}`,
    },
  ],
  zigbee2mqtt: (facts) => [
    {
      label: "configuration.yaml",
      text: [`mqtt:`, `  server: ${brokerOf(facts)}`, `  user: ${facts.name}`, `  password: ${facts.secret}`].join(
        "\n",
      ),
    },
  ],
  esphome: (facts) => [
    {
      label: "The device's YAML",
      text: [
        `mqtt:`,
        `  broker: ${facts.mqtt.host}`,
        `  port: ${facts.mqtt.port}`,
        `  username: ${facts.name}`,
        `  password: ${facts.secret}`,
      ].join("\n"),
    },
  ],
  "shelly-gen2": (facts) => [
    {
      label: "A command that sets it (or Settings → MQTT)",
      text: `curl 'http://SHELLY/rpc/Mqtt.SetConfig' -d '${JSON.stringify({
        config: {
          enable: true,
          server: `${facts.mqtt.host}:${facts.mqtt.port}`,
          user: facts.name,
          pass: facts.secret,
          rpc_ntf: true,
        },
      })}'`,
    },
  ],
  enviroplus: (facts) => [
    {
      label: "On the Raspberry Pi",
      text: `python mqtt-all.py --broker ${facts.mqtt.host} --port ${facts.mqtt.port} --username ${facts.name} --password ${facts.secret}`,
    },
  ],
};

function telegraf({ origin, secret, name }: SetupFacts): SetupLine {
  return {
    label: "telegraf.conf",
    text: [
      `[[outputs.influxdb_v2]]`,
      `  urls = ["${origin}"]`,
      `  token = "${secret}"`,
      `  organization = "fieldwatch"`,
      `  bucket = "${name}"`,
    ].join("\n"),
  };
}

function mqttFields(facts: SetupFacts): readonly SetupLine[] {
  const { name, secret } = facts;
  return [
    { label: "Broker", text: brokerOf(facts) },
    { label: "User name", text: name },
    { label: "Password", text: secret },
  ];
}

function mosquitto({ mqtt, name, secret, sample }: SetupFacts): SetupLine {
  const [topic, body] = [sample?.topic ?? `${name}/test`, textOf(sample)];
  const tls = mqtt.isSecure ? " --tls-use-os-certs" : "";
  const send = `mosquitto_pub -h ${mqtt.host} -p ${mqtt.port}${tls} -u ${name} -P ${secret} -q 1 -t ${quoted(topic)}`;
  return {
    label: "To try it",
    text: isBinary(sample) ? `echo ${body} | base64 -d | ${send} -s` : `${send} -m ${quoted(body)}`,
  };
}

/** Addresses of protocols that have one of their own. */
const OWN_ADDRESS: Partial<Record<SourceKind, string>> = {
  influx: "/api/v2/write?precision=ns",
  otlp: "/v1/metrics",
  prometheus: "/api/v1/prom/write",
};

function curl(facts: SetupFacts): SetupLine {
  const { kind, origin, name, sample } = facts;
  const own = OWN_ADDRESS[kind];
  const path = (sample?.path ?? []).map((level) => `/${encodeURIComponent(level)}`).join("");
  const query = new URLSearchParams(sample?.query).toString();
  const address = own === undefined ? `${origin}/ingest/${name}${path}${query ? `?${query}` : ""}` : origin + own;
  const type = sample?.contentType ?? "application/json";
  const headers = Object.entries(sample?.headers ?? {}).map(([key, value]) => `-H ${quoted(`${key}: ${value}`)}`);
  const command = [
    `curl ${quoted(address)}`,
    `-H ${quoted(bearer(facts))}`,
    `-H ${quoted(`content-type: ${type}`)}`,
    ...headers,
    isBinary(sample) ? `--data-binary @-` : `--data-binary ${quoted(textOf(sample))}`,
  ].join(" \\\n  ");
  return { label: "To try it", text: isBinary(sample) ? `echo ${textOf(sample)} | base64 -d | ${command}` : command };
}

const isBinary = (sample: SourcePayload | null) => sample?.encoding === "base64";
const textOf = (sample: SourcePayload | null) => sample?.body ?? `{"device":"press-07","temperature":21.3}`;

/** A word of a shell that stands for exactly this text. */
function quoted(text: string): string {
  return /^[\w./:=@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
