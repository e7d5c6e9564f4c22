import { createServer } from "node:net";
import { expect, test } from "vitest";
import { createKafkaInspection } from "@/server/adapters/kafka/inspection";
import { loadConfig } from "@/server/config/config";
import { explainEngines } from "./explain-engines";

const explain = (address: string) => {
  const { engines: settings } = loadConfig({ KAFKA_BROKERS: address }, "");
  return explainEngines({ kafka: createKafkaInspection({ settings, now: Date.now }), mongodb: null });
};

test("a Kafka that isn't there, and one that hangs up, in words", async () => {
  const server = createServer((socket) => void socket.on("error", () => {}).once("data", () => socket.destroy()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `127.0.0.1:${(server.address() as { port: number }).port}`;
  expect(await explain(address)).toMatchObject({
    what: "The Kafka of KAFKA_BROKERS can't be used",
    why: expect.stringContaining(`${address} hangs up before it answers`),
  });
  await new Promise((resolve) => server.close(resolve));
  expect(await explain(address)).toMatchObject({
    why: `Nothing listens on ${address} (ECONNREFUSED).`,
    fix: expect.stringContaining("KAFKA_BROKERS"),
  });
});

test("without outside engines there is nothing to explain", async () => {
  expect(await explainEngines({ kafka: null, mongodb: null })).toBeUndefined();
});
