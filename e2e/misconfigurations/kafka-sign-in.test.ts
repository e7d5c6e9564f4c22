import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pino from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { composeEngines } from "@/server/compose";
import { loadConfig } from "@/server/config/config";
import { describeStartingEngines } from "@/server/testing/engines";
import { until } from "@/server/testing/until";
import { type KafkaServer, startKafka } from "../engines/kafka";
import { createKafkaRig } from "./kafka-rig";
import { diagnose } from "./rig";

const rig = createKafkaRig();

describeStartingEngines("on Kafka with sign-in", () => {
  const users = { ana: "secret" };
  const signIn = (password: string, mechanism = "scram-sha-512") => ({
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_SASL_USERNAME: "ana",
    KAFKA_SASL_PASSWORD: password,
  });
  let dataDir: string;
  let kafka: KafkaServer;
  beforeAll(async () => {
    dataDir = mkdtempSync(path.join(tmpdir(), "fieldwatch-signed-"));
    kafka = await startKafka({ heap: "512m", dataDir, users });
    await rig.makeTopics(rig.envOf(kafka.brokers, signIn("secret")));
  }, 120_000);
  afterAll(async () => {
    await kafka?.remove();
    rmSync(dataDir, { recursive: true, force: true });
  });

  test.each(["plain", "scram-sha-256", "scram-sha-512"])("right and wrong password by %s", async (mechanism) => {
    const right = await diagnose(rig.envOf(kafka.brokers, signIn("secret", mechanism)));
    expect(right.probe("kafka.signed-in")).toMatchObject({
      status: "pass",
      summary: expect.stringContaining(`Signed in as ana (${mechanism.toUpperCase()})`),
    });
    expect(right.accusing()).toEqual([]);
    const wrong = await diagnose(rig.envOf(kafka.brokers, signIn("guess", mechanism)));
    expect(wrong.probe("kafka.signed-in")).toMatchObject({
      status: "fail",
      cause: `${kafka.brokers} refuses the user ana (SASL_AUTHENTICATION_FAILED): wrong password, or no such user.`,
      fix: expect.stringContaining("KAFKA_SASL_PASSWORD"),
    });
    expect(wrong.probe("kafka.reachable").status).toBe("pass");
    expect(wrong.accusing("kafka.signed-in")).toEqual([]);
    expect(JSON.stringify(wrong.results)).not.toContain("guess");
    expect(wrong.verdict).toMatch(
      /^Kafka, Signed in: Kafka refuses the sign-in since .*: readings wait with their senders/,
    );
  });

  test("a password that is changed is taken from its file by what is running, to append and to ask", async () => {
    const file = path.join(dataDir, "password");
    writeFileSync(file, "before");
    const env = rig.envOf(kafka.brokers, signIn("unused"));
    const { KAFKA_SASL_PASSWORD: _, ...rest } = env;
    const config = loadConfig({ ...rest, KAFKA_SASL_PASSWORD_FILE: file }, "");
    const engines = await composeEngines(config, "test", pino({ level: "silent" }));
    const kafkaTells = () => engines.inspection.kafka!.cluster();
    await expect(kafkaTells()).rejects.toMatchObject({ kind: "signInRefused" });
    await expect(engines.eventLog.describe("iot.telemetry", "any")).rejects.toThrow();
    writeFileSync(file, "secret\n");
    await until(() => engines.eventLog.describe("iot.telemetry", "any"), { timeoutMs: 30_000 });
    await kafkaTells();
    await engines.close();
  });

  test("no sign-in set", async () => {
    const found = await diagnose(rig.envOf(kafka.brokers));
    expect(found.probe("kafka.signed-in")).toMatchObject({
      status: "fail",
      cause: `${kafka.brokers} asks for a user, and none is set.`,
      fix: expect.stringContaining("KAFKA_SASL_MECHANISM=scram-sha-512"),
    });
    expect(found.accusing("kafka.signed-in")).toEqual([]);
  });

  test("an advertised address that can't be reached", async () => {
    const port = Number(kafka.brokers.split(":")[1]);
    await kafka.stop();
    kafka = await startKafka({ heap: "512m", dataDir, users, port, advertised: "kafka.invalid:9092" });
    // Its partitions have leaders a moment after it answers.
    const found = await until(
      async () => {
        const now = await diagnose(rig.envOf(kafka.brokers, signIn("secret")));
        return ["log.iot.telemetry", "log.iot.live"].every((name) => now.probe(name).status === "pass") ? now : null;
      },
      { timeoutMs: 45_000 },
    );
    expect(found.probe("kafka.advertised")).toMatchObject({
      status: "fail",
      summary: `Kafka at ${kafka.brokers} answers, but tells clients to use kafka.invalid:9092, which this machine can't reach.`,
      cause: expect.stringMatching(/^This machine doesn't know the host kafka\.invalid \((ENOTFOUND|EAI_AGAIN)\)\.$/),
      fix: expect.stringMatching(
        /advertised\.listeners=SASL_PLAINTEXT:\/\/127\.0\.0\.1:\d+\nor .*echo '127\.0\.0\.1 kafka\.invalid' \| sudo tee -a \/etc\/hosts$/,
      ),
    });
    for (const name of ["kafka.reachable", "kafka.signed-in", "log.iot.telemetry", "log.iot.live"])
      expect(found.probe(name).status).toBe("pass");
    expect(found.probe("kafka.group")).toMatchObject({
      status: "unknown",
      fix: expect.stringMatching(/^First mend Kafka/),
    });
    expect(found.accusing("kafka.advertised")).toEqual([]);
    expect(found.verdict).toMatch(/Advertised addresses answer: .* since .*: readings wait with their senders/);
  }, 180_000);
});
