import { expect, test } from "vitest";
import { pipelineAnswer } from "@/server/contracts/pipeline";
import { type Caller, ROLES } from "@/server/domain/access";
import { createApiRig, read } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";

const rig = createApiRig();

test("workers are told by the names of their machines to administrators alone, and by numbers to others", async () => {
  const asked = async () => (await read(pipelineAnswer, rig.get("getPipeline"))).partitions.map(({ owner }) => owner);
  await until(async () => (await asked()).every((owner) => owner !== null));
  const owners = await asked();
  for (const role of ROLES) {
    const grants = [{ role, siteId: null }];
    const caller: Caller = { kind: "user", accountId: 1, name: "Ada", sessionId: "s", provenAt: 0, grants };
    const answer = await read(
      pipelineAnswer,
      rig.compose({ caller }).handle("getPipeline", new Request("http://here/api"), {}),
    );
    const told = answer.partitions.map(({ owner }) => owner);
    if (role === "admin") expect(told).toEqual(owners);
    else expect(told).toEqual(owners.map(() => "worker 1"));
  }
});
