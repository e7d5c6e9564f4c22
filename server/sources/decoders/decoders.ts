import type { DecoderName } from "@/server/domain/mapping/mapping";
import { decodeAny } from "./any";
import { decodeBinary } from "./binary";
import { decodeCloudEvents } from "./cloudevents";
import { decodeCsv } from "./csv";
import type { Decoder } from "./decoder";
import { decodeEventGrid } from "./event-grid";
import { decodeForm } from "./form";
import { decodeInflux } from "./influx";
import { decodeJson } from "./json";
import { decodeNdjson } from "./ndjson";
import { decodeOtlp } from "./otlp";
import { decodeQuery } from "./query";
import { decodeRemoteWrite } from "./remote-write";
import { decodeRuuvi } from "./ruuvi";
import { decodeSenml } from "./senml";
import { decodeSparkplugAlone } from "./sparkplug";
import { decodeTelegraf } from "./telegraf";
import { decodeText } from "./text";

/** All decoders by what mappings call them. That of Sparkplug knows no births; the MQTT door has those. */
export const DECODER_OF: Readonly<Record<DecoderName, Decoder>> = {
  fieldwatch: decodeAny,
  any: decodeAny,
  json: decodeJson,
  ndjson: decodeNdjson,
  form: decodeForm,
  text: decodeText,
  query: decodeQuery,
  binary: decodeBinary,
  csv: decodeCsv,
  influx: decodeInflux,
  otlp: decodeOtlp,
  "remote-write": decodeRemoteWrite,
  sparkplug: decodeSparkplugAlone,
  senml: decodeSenml,
  ruuvi: decodeRuuvi,
  cloudevents: decodeCloudEvents,
  "event-grid": decodeEventGrid,
  telegraf: decodeTelegraf,
};
