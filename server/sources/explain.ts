import type { Explained, SourcePayload } from "@/server/contracts/sources";
import type { Delivery } from "@/server/domain/mapping/delivery";
import type { Mapping } from "@/server/domain/mapping/mapping";
import { explainDelivery, type Incoming } from "./read";

/** The most messages and leaves of one payload that are told. */
const MOST_TOLD = 2000;

/** What a mapping makes of a delivery, by the function that doors use. */
export function explain(mapping: Mapping, delivery: Incoming): Explained {
  const { messages, refused, leaves } = explainDelivery(mapping, delivery);
  return {
    messages: messages.slice(0, MOST_TOLD).map(({ device, time, timeFrom, readings }) => ({
      ...{ device, timeFrom, time: new Date(time).toISOString() },
      readings: readings.map((reading) => ({ ...reading })),
    })),
    leaves: (leaves ?? []).slice(0, MOST_TOLD).map((leaf) => ({ ...leaf })),
    refused: refused.slice(0, MOST_TOLD).map((one) => ({ ...one })),
  };
}

/** A payload that a person pasted, as a door would have it at this moment. */
export function deliveryOf({ body, encoding, ...beside }: SourcePayload, now: number): Delivery {
  return { body: Buffer.from(body, encoding === "base64" ? "base64" : "utf8"), arrived: now, beside };
}
