import { type Beside, type Delivery, NOTHING_BESIDE } from "@/server/domain/mapping/delivery";
import type { Intake, OpenSource } from "../intake";
import type { Incoming } from "../read";
import type { Published } from "../mqtt/durable-queue";

export interface DeliverDeps {
  readonly intake: Pick<Intake, "takeAll">;
  /** True for an error after which the same may be taken. */
  readonly isPassing: (error: unknown) => boolean;
  /** Counts and logs a delivery that the intake can't take however often it comes. */
  readonly onPoison: (source: OpenSource, delivery: Delivery, error: unknown) => void;
}

/**
 * Takes deliveries of a source into the log, in order. One that can never be taken is told by itself, and stops none of the others.
 * @throws what is passing: then all of them come again.
 */
export type Deliver = (source: OpenSource, deliveries: readonly Incoming[]) => Promise<void>;

export function createDeliver({ intake, isPassing, onPoison }: DeliverDeps): Deliver {
  return async function deliver(source, deliveries) {
    try {
      await intake.takeAll(source, deliveries);
    } catch (error) {
      if (isPassing(error)) throw error;
      if (deliveries.length === 1) return onPoison(source, deliveries[0]!, error);
      const middle = deliveries.length >> 1;
      await deliver(source, deliveries.slice(0, middle));
      await deliver(source, deliveries.slice(middle));
    }
  };
}

/** What was published, as any door hands it over. */
export function deliveryOf({ topic, payload, retained, contentType, arrived, sender }: Published): Incoming {
  const beside: Beside = { ...NOTHING_BESIDE, contentType, topic, retained };
  return { body: payload, arrived, beside, ...(sender && { sender }) };
}
