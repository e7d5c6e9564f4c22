import { type Receiver, startReceiver } from "@/server/testing/receiver";
import type { Product } from "./product";

/** An alert as a message of the webhook tells it. */
interface ToldAlert {
  readonly id: number;
  readonly rule: string;
  readonly state: "firing" | "recovering" | "resolved" | "closed";
  readonly device: string | null;
}

/** A message as a receiver got it, each time that it came. */
export interface ToldMessage {
  readonly id: string;
  readonly at: number;
  readonly alerts: readonly ToldAlert[];
}

/** What a receiver got, oldest first. */
export function toldMessages({ got }: Pick<Receiver, "got">): ToldMessage[] {
  return got.map(({ headers, body, at }) => ({
    ...{ id: headers["webhook-id"]!, at },
    alerts: (JSON.parse(body) as { data: { alerts: readonly ToldAlert[] } }).data.alerts,
  }));
}

/** Starts a receiver, and has a product tell it of every alert, each device by itself. */
export async function receiveAlerts(product: Product, waitMs = 0): Promise<Receiver> {
  const receiver = await startReceiver();
  const channel = await post<{ id: number }>(product, "/api/v1/channels", {
    ...{ name: "counted", kind: "webhook", settings: { url: receiver.url }, mostPerHour: 100_000 },
  });
  await post(product, "/api/v1/routes", {
    ...{ name: "all", channels: [channel.id], groupBy: ["rule", "device"] },
    ...{ waitMs, intervalMs: 0, repeatMs: null },
  });
  return receiver;
}

/** Asks for something to be made. @throws when it isn't */
export async function post<T>(product: Product, route: string, body: unknown): Promise<T> {
  const answer = await product.fetch(route, { method: "POST", body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`POST ${route}: ${answer.status} ${text.slice(0, 500)}`);
  return JSON.parse(text) as T;
}
