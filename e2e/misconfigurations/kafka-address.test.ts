import { describe, expect, test } from "vitest";
import { createKafkaInspection } from "@/server/adapters/kafka/inspection";
import { loadConfig } from "@/server/config/config";
import { until } from "@/server/testing/until";
import { freePort } from "../engines/ports";
import { createKafkaRig } from "./kafka-rig";
import { diagnose, listening } from "./rig";

const rig = createKafkaRig();

describe("without a Kafka at the address", () => {
  test("wrong port: nothing listens there", async () => {
    const port = await freePort();
    const found = await diagnose(rig.envOf(`127.0.0.1:${port}`));
    expect(found.probe("kafka.reachable")).toMatchObject({
      status: "fail",
      summary: "Kafka does not answer.",
      cause: `Nothing listens on 127.0.0.1:${port} (ECONNREFUSED).`,
      fix: expect.stringContaining("correct host and port in KAFKA_BROKERS"),
    });
    for (const name of ["kafka.signed-in", "kafka.advertised", "log.iot.telemetry", "kafka.clock", "kafka.disk"]) {
      expect(found.probe(name)).toMatchObject({ status: "unknown", fix: "First mend Kafka: see its failing probes." });
    }
    expect(found.accusing("kafka.reachable")).toEqual([]);
    expect(found.verdict).toMatch(
      /^Kafka is down since .* UTC: readings wait with their senders; nothing that was taken is lost\.$/,
    );
  });

  test("wrong port: PostgreSQL answers there", async () => {
    const { host } = new URL(rig.databaseUrl());
    const found = await diagnose(rig.envOf(host));
    expect(found.probe("kafka.reachable")).toMatchObject({
      status: "fail",
      cause: expect.stringMatching(/^Another program than Kafka answers at|hangs up before it answers/),
      fix: expect.stringContaining("KAFKA_BROKERS"),
    });
    expect(found.accusing("kafka.reachable")).toEqual([]);
  });

  test("a name that isn't known", async () => {
    const found = await diagnose(rig.envOf("kafka.invalid:9092"));
    expect(found.probe("kafka.reachable")).toMatchObject({
      status: "fail",
      cause: expect.stringMatching(/^This machine doesn't know the host kafka\.invalid \((ENOTFOUND|EAI_AGAIN)\)\.$/),
      fix: expect.stringContaining("/etc/hosts"),
    });
    expect(found.accusing("kafka.reachable")).toEqual([]);
  });

  test("a Kafka that starts: its port takes connections, and doesn't answer yet", async () => {
    const starting = await listening();
    try {
      const began = performance.now();
      const found = await diagnose(rig.envOf(`127.0.0.1:${starting.port}`));
      expect(performance.now() - began).toBeLessThan(15_000);
      expect(found.probe("kafka.reachable")).toMatchObject({
        status: "fail",
        cause: expect.stringContaining("is still starting, overloaded or stopped in its tracks"),
        fix: expect.stringMatching(/^Wait until it has started\./),
      });
      expect(found.accusing("kafka.reachable")).toEqual([]);
    } finally {
      await starting.close();
    }
  });

  test("no connection is left behind on a Kafka that hangs", async () => {
    const hanging = await listening();
    try {
      const { engines: settings } = loadConfig({ KAFKA_BROKERS: `127.0.0.1:${hanging.port}` }, "");
      const inspection = createKafkaInspection({ settings, now: Date.now });
      const calls = [inspection.cluster, () => inspection.topics(["a"]), () => inspection.group("a"), inspection.disks];
      const asked = calls.map((call) => call().then(String, (error: unknown) => error));
      await until(() => hanging.open() === calls.length);
      for (const error of await Promise.all(asked))
        expect(error).toMatchObject({ name: "InspectionError", kind: "silent" });
      await until(() => hanging.open() === 0);
    } finally {
      await hanging.close();
    }
  });
});
