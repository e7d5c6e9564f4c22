import { beforeAll, describe, expect, test } from "vitest";
import { deadLettersAnswer } from "@/server/contracts/dead-letters";
import { metricsAnswer } from "@/server/contracts/metrics";
import { healthAnswer } from "@/server/contracts/health";
import { pipelineAnswer } from "@/server/contracts/pipeline";
import { stagesAnswer } from "@/server/contracts/stages";
import { createApiRig, read, refused } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";

const rig = createApiRig();

test("the API under test has the rights of the product's processes, no owner's", async () => {
  // What only the owner may, on which a route must not rest: a month by its own name, emptying a table, changing the record.
  await rig.owner.query("SELECT make_month('sample', 2020, 1)");
  const { pool } = rig.engines;
  for (const text of ["SELECT FROM sample_2020_01", "TRUNCATE device_twin", "UPDATE audit_row SET actor = 'x'"])
    await expect(pool.query(text), text).rejects.toMatchObject({ code: "42501" });
});

describe("from a message to every answer", () => {
  beforeAll(() => rig.sendFleet());

  test("pipeline", async () => {
    const answer = await read(pipelineAnswer, rig.get("getPipeline"));
    expect(answer.totals).toMatchObject({ messages: 604, duplicates: 0, devices: 4 });
    expect(answer).toMatchObject({
      lag: 0,
      lagSeconds: 0,
      workers: 1,
      devices: { live: 4, stale: 0, silent: 0, new: 0 },
    });
    expect(answer.partitions.reduce((sum, { end }) => sum + end, 0)).toBe(604);
    expect(answer.history.reduce((sum, { messages }) => sum + messages, 0)).toBe(604);
    expect(answer.history[0]!.latencyP50Ms).toBeGreaterThan(0);
  });

  test("stages", async () => {
    // Stages' clocks are written when their five seconds have passed.
    const answer = await until(
      async () => {
        const found = await read(stagesAnswer, rig.get("getStages"));
        return found.minute.messages === 604 && found.minute.stages.readings ? found : null;
      },
      { timeoutMs: 20_000 },
    );
    const { wait, readings, decode } = answer.minute.stages;
    expect(wait).toMatchObject({ runs: 604, messages: 604 });
    expect(readings).toMatchObject({ messages: 604, runs: decode!.runs });
    expect(readings!.maxMs).toBeGreaterThanOrEqual(readings!.p99Ms);
    expect(answer.minute).toMatchObject({ late: 0, deadLetters: { typeDrift: 2 }, accepted: 0 });
    expect(answer.buckets.reduce((sum, { messages }) => sum + messages, 0)).toBe(604);
    for (const query of ["minutes=0", "minutes=1441", "minutes=x"])
      expect((await refused(rig.get("getStages", {}, query))).kind).toBe("invalid-parameters");
  });

  test("metrics and dead letters", async () => {
    expect((await read(metricsAnswer, rig.get("listMetrics"))).items.map(({ name, kind }) => [name, kind])).toEqual([
      ["door", "boolean"],
      ["temperature", "number"],
    ]);
    const letters = await read(deadLettersAnswer, rig.get("listDeadLetters", {}, "reason=typeDrift&device=zeta"));
    expect(letters.items.map(({ field, encoding }) => [field, encoding])).toContainEqual(["door", "utf-8"]);
    expect((await read(healthAnswer, rig.get("getHealth"))).status).toBe("pass");
    expect((await rig.get("getLive")).status).toBe(200);
    expect((await rig.get("getReady")).status).toBe(200);
  });
});

test("every answer tells the server's time, refusals too", async () => {
  const before = Date.now();
  for (const answer of [await rig.get("getLive"), await rig.get("listDevices", {}, "limit=0")]) {
    const time = Number(answer.headers.get("fieldwatch-time"));
    expect(time >= before && time <= Date.now()).toBe(true);
  }
});

describe("what is refused, and how", () => {
  test("parameters: everything wrong at once", async () => {
    const answer = await refused(rig.get("listDevices", {}, "limit=0&state=odd&lmit=3&sort=id&sort=id"));
    expect(answer).toMatchObject({ status: 400, kind: "invalid-parameters" });
    expect(answer.errors?.map(({ at }) => at).sort()).toEqual(["limit", "lmit", "sort", "state"]);
  });

  test("skipping a batch that doesn't stop its partition", async () => {
    const skip = (partition: string, body: object) => {
      const init = { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } };
      return refused(rig.api.handle("skipBatch", new Request("http://here/api", init), { partition }));
    };
    expect(await skip("1", { from: 0, to: 9 })).toMatchObject({ status: 409, kind: "wrong-status" });
    expect(await skip("-1", { from: 0, to: 9 })).toMatchObject({ status: 400 });
    expect(await skip("1", { from: 0 })).toMatchObject({ status: 400 });
  });

  test("addresses and methods that aren't there", async () => {
    expect((await refused(rig.api.notFound(new Request("http://here/api/x")))).status).toBe(404);
    const answer = await refused(
      rig.api.notAllowed(new Request("http://here/api/x", { method: "PUT" }), ["GET", "HEAD"]),
    );
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });
});
