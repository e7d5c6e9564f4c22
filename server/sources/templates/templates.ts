import { mappingSchema } from "@/server/domain/mapping/mapping";
import type { Delivery } from "@/server/domain/mapping/delivery";
import type { SourceKind } from "@/server/domain/source";
import { readTree } from "../decoders/decoder";
import type { KnownSenders } from "../known-senders";
import { awsIot } from "./aws-iot";
import { azureEventGrid } from "./azure-event-grid";
import { azureIotCentral } from "./azure-iot-central";
import { chirpstackV4 } from "./chirpstack-v4";
import { cloudevents } from "./cloudevents";
import { enviro } from "./enviro";
import { enviroplus } from "./enviroplus";
import { esphome } from "./esphome";
import { fieldwatch } from "./fieldwatch";
import { generic } from "./generic";
import { homeAssistant } from "./home-assistant";
import { influx } from "./influx";
import { otlp } from "./otlp";
import { prometheus } from "./prometheus";
import { ruuviGateway } from "./ruuvi-gateway";
import { senml } from "./senml";
import { shellyGen1 } from "./shelly-gen1";
import { shellyGen2 } from "./shelly-gen2";
import { sampleOf } from "./samples";
import { sparkplugB } from "./sparkplug-b";
import { tasmota } from "./tasmota";
import { telegrafJson } from "./telegraf-json";
import type { Seen, SourceTemplate } from "./template";
import { thingsboardDevice } from "./thingsboard-device";
import { thingsboardGateway } from "./thingsboard-gateway";
import { ttnV2 } from "./ttn-v2";
import { ttnV3 } from "./ttn-v3";
import { zigbee2mqtt } from "./zigbee2mqtt";

/** All templates by kind, in the order in which screens offer them. */
const TEMPLATES: Readonly<Record<SourceKind, SourceTemplate>> = {
  generic,
  zigbee2mqtt,
  tasmota,
  esphome,
  "shelly-gen2": shellyGen2,
  "shelly-gen1": shellyGen1,
  "home-assistant": homeAssistant,
  "ttn-v3": ttnV3,
  "ttn-v2": ttnV2,
  "chirpstack-v4": chirpstackV4,
  influx,
  "telegraf-json": telegrafJson,
  prometheus,
  otlp,
  "sparkplug-b": sparkplugB,
  "thingsboard-device": thingsboardDevice,
  "thingsboard-gateway": thingsboardGateway,
  "aws-iot": awsIot,
  "azure-event-grid": azureEventGrid,
  "azure-iot-central": azureIotCentral,
  "ruuvi-gateway": ruuviGateway,
  enviro,
  enviroplus,
  senml,
  cloudevents,
  fieldwatch,
};

/** The most kinds that are guessed. */
const MOST_GUESSES = 5;

/** Guesses which senders a delivery may be from, by its shape, topic and headers: the likeliest first. */
function guess(delivery: Delivery): readonly { readonly kind: SourceKind; readonly why: string }[] {
  const seen = look(delivery);
  return Object.values(TEMPLATES)
    .map((template) => ({ template, score: template.looksLike(seen) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, MOST_GUESSES)
    .map(({ template: { kind, sign } }) => ({ kind, why: sign }));
}

function look(delivery: Delivery): Seen {
  let text: string | null;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(delivery.body);
  } catch {
    return { delivery, text: null, json: undefined };
  }
  const json = jsonIn(text) ?? jsonIn(text.trimStart().split("\n", 1)[0]!);
  return { delivery, text, json: Array.isArray(json) ? (json[0] as unknown) : json };
}

/** Undefined if it is no JSON. */
function jsonIn(text: string): unknown {
  try {
    return readTree(text).json;
  } catch {
    return undefined;
  }
}

/** What all templates say, their mappings whole. */
export const KNOWN_SENDERS: KnownSenders = {
  templates: Object.values(TEMPLATES).map(({ kind, title, doors, answer, mapping }) => ({
    ...{ kind, title, answer, doors: [...doors], sample: sampleOf(kind) },
    mapping: mappingSchema.parse(mapping),
  })),
  guess,
};
