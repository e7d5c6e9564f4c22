import type { MappingRefusal } from "./mapping/delivery";

/** Names of sources, as they stand in addresses. */
export const SOURCE_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** The source that is there from the start: messages in Fieldwatch's own shape, by POST /api/v1/telemetry. */
export const OWN_SOURCE = "fieldwatch";

/** What senders speak; the names of files in server/sources/templates. A source's kind is the template it was made from. */
export const SOURCE_KINDS = [
  "fieldwatch",
  "generic",
  "tasmota",
  "zigbee2mqtt",
  "esphome",
  "shelly-gen1",
  "shelly-gen2",
  "home-assistant",
  "ttn-v3",
  "ttn-v2",
  "chirpstack-v4",
  "thingsboard-device",
  "thingsboard-gateway",
  "aws-iot",
  "azure-event-grid",
  "azure-iot-central",
  "telegraf-json",
  "influx",
  "otlp",
  "prometheus",
  "cloudevents",
  "senml",
  "ruuvi-gateway",
  "enviro",
  "enviroplus",
  "sparkplug-b",
] as const;
export type SourceKind = (typeof SOURCE_KINDS)[number];

/**
 * strict: what can't be read is told in the answer, and nothing of it is kept. webhook: 2xx once the body is durable; what can't be read becomes a
 * dead letter, as its sender would try once and never again.
 */
export const ANSWER_POLICIES = ["strict", "webhook"] as const;
export type AnswerPolicy = (typeof ANSWER_POLICIES)[number];

/** Where a source's messages come in. Every source has the doors of HTTP; the others are its own. */
export type SourceDoor =
  | { readonly type: "http" }
  /** The MQTT listener; filters of the topics it may publish to, with + and #. */
  | { readonly type: "mqtt"; readonly topics: readonly string[] }
  /** An MQTT broker of somebody's, which we sign in to. The password is the door's secret. */
  | {
      readonly type: "mqtt-bridge";
      /** mqtt:// or mqtts:// with host and port. */
      readonly url: string;
      readonly clientId: string;
      readonly username: string | null;
      /** PEM of the authority to trust, besides those of the system; null: those alone. */
      readonly ca: string | null;
      readonly topics: readonly string[];
      readonly qos: 0 | 1;
    }
  /** Topics of somebody's Kafka. The SASL password is the door's secret. */
  | {
      readonly type: "kafka";
      /** host:port, each; empty: the cluster that Fieldwatch itself uses. */
      readonly brokers: readonly string[];
      readonly ssl: boolean;
      readonly sasl: {
        readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
        readonly username: string;
      } | null;
      readonly group: string;
      readonly topics: readonly string[];
      /** Where reading begins when the group has no position yet. */
      readonly from: "earliest" | "latest";
    };

/** Why something of a delivery became no reading: its mapping says so, or the door that judged what the mapping made of it. */
export interface DeliveryRefusal {
  /** Place in the payload; "" for all of it. */
  readonly path: string;
  readonly reason: MappingRefusal["reason"];
  readonly detail: string;
}
