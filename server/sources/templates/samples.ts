import type { SourcePayload } from "@/server/contracts/sources";
import type { Beside } from "@/server/domain/mapping/delivery";
import type { SourceKind } from "@/server/domain/source";
import awsIot from "./fixtures/aws-iot/usual.json";
import azureEventGrid from "./fixtures/azure-event-grid/usual.json";
import azureIotCentral from "./fixtures/azure-iot-central/usual.json";
import chirpstackV4 from "./fixtures/chirpstack-v4/usual.json";
import cloudevents from "./fixtures/cloudevents/usual.json";
import enviro from "./fixtures/enviro/usual.json";
import enviroplus from "./fixtures/enviroplus/usual.json";
import esphome from "./fixtures/esphome/usual.json";
import fieldwatch from "./fixtures/fieldwatch/usual.json";
import generic from "./fixtures/generic/usual.json";
import homeAssistant from "./fixtures/home-assistant/usual.json";
import influx from "./fixtures/influx/usual.json";
import otlp from "./fixtures/otlp/usual.json";
import prometheus from "./fixtures/prometheus/usual.json";
import ruuviGateway from "./fixtures/ruuvi-gateway/usual.json";
import senml from "./fixtures/senml/usual.json";
import shellyGen1 from "./fixtures/shelly-gen1/usual.json";
import shellyGen2 from "./fixtures/shelly-gen2/usual.json";
import sparkplugB from "./fixtures/sparkplug-b/usual.json";
import tasmota from "./fixtures/tasmota/usual.json";
import telegrafJson from "./fixtures/telegraf-json/usual.json";
import thingsboardDevice from "./fixtures/thingsboard-device/usual.json";
import thingsboardGateway from "./fixtures/thingsboard-gateway/usual.json";
import ttnV2 from "./fixtures/ttn-v2/usual.json";
import ttnV3 from "./fixtures/ttn-v3/usual.json";
import zigbee2mqtt from "./fixtures/zigbee2mqtt/usual.json";

/** A payload as fixtures have it: one of json (as it is easiest to read), text (as it is sent) or base64 is its body. */
export interface FixtureFile extends Partial<Beside> {
  /** Which documentation it follows. */
  readonly after: string;
  readonly json?: unknown;
  readonly text?: string;
  readonly base64?: string;
}

const USUAL: Readonly<Record<SourceKind, FixtureFile>> = {
  "aws-iot": awsIot,
  "azure-event-grid": azureEventGrid,
  "azure-iot-central": azureIotCentral,
  "chirpstack-v4": chirpstackV4,
  cloudevents: cloudevents,
  enviro: enviro,
  enviroplus: enviroplus,
  esphome: esphome,
  fieldwatch: fieldwatch,
  generic: generic,
  "home-assistant": homeAssistant,
  influx: influx,
  otlp: otlp,
  prometheus: prometheus,
  "ruuvi-gateway": ruuviGateway,
  senml: senml,
  "shelly-gen1": shellyGen1,
  "shelly-gen2": shellyGen2,
  "sparkplug-b": sparkplugB,
  tasmota: tasmota,
  "telegraf-json": telegrafJson,
  "thingsboard-device": thingsboardDevice,
  "thingsboard-gateway": thingsboardGateway,
  "ttn-v2": ttnV2,
  "ttn-v3": ttnV3,
  zigbee2mqtt: zigbee2mqtt,
};

/** What came beside the usual payload by the other door of its kind: by MQTT a topic, by HTTP an address. */
const BY_OTHER_DOOR: Partial<Record<SourceKind, Partial<Pick<SourcePayload, "topic" | "path">>>> = {
  "chirpstack-v4": { topic: "application/1/device/24e124136b324556/event/up" },
  "thingsboard-device": { topic: "v1/devices/press-07/telemetry" },
  tasmota: { path: ["kitchen"] },
};

/** What a sender of a kind usually sends, for a person to see and for the command that tries a source. */
export function sampleOf(kind: SourceKind): SourcePayload {
  const { json, text, base64, contentType = null, topic = null, path = [], query = {}, headers = {} } = USUAL[kind];
  const body = base64 ?? text ?? JSON.stringify(json);
  const encoding = base64 === undefined ? "utf-8" : "base64";
  return {
    body,
    encoding,
    contentType,
    topic,
    retained: false,
    path: [...path],
    query,
    headers,
    kafka: null,
    ...BY_OTHER_DOOR[kind],
  };
}
