import { beforeAll, expect, test } from "vitest";
import { deviceChangesAnswer, deviceDetail, devicesAnswer } from "@/server/contracts/devices";
import { fleetSummaryAnswer } from "@/server/contracts/fleet";
import { telemetryAnswer } from "@/server/contracts/telemetry";
import { createApiRig, JSON_TYPE, message, read, refused } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";

const rig = createApiRig();
const detail = (id: string) => read(deviceDetail, rig.get("getDevice", { id }));
const listed = async (query = "") =>
  (await read(devicesAnswer, rig.get("listDevices", {}, query))).items.map(({ id }) => id);
const change = (devices: string[], changes: object) =>
  rig.api.handle(
    "changeDevices",
    new Request("http://here/api", { method: "POST", body: JSON.stringify({ devices, changes }), headers: JSON_TYPE }),
    {},
  );

const NAMES = ["alpha_1", "alpha_2", "alpha_3"];

beforeAll(async () => {
  await read(telemetryAnswer, rig.post(JSON.stringify(NAMES.map((name) => message(name, 2)))));
  await until(async () => (await listed()).length === 3 && (await detail("alpha_3")).messages === 1, {
    timeoutMs: 20_000,
  });
});

test("several devices are changed in one request, each with its outcome, and told in one record", async () => {
  const answer = await read(
    deviceChangesAnswer,
    change(["alpha_1", "nobody", "alpha_2"], { site: "Gebäude 7", type: "Temp sensor", labels: { floor: "2" } }),
  );
  expect(answer.items).toEqual([
    { id: "alpha_1", outcome: "changed" },
    { id: "nobody", outcome: "missing" },
    { id: "alpha_2", outcome: "changed" },
  ]);
  expect(await listed("where=" + encodeURIComponent('site = "Gebäude 7" and label:floor = 2'))).toEqual([
    "alpha_1",
    "alpha_2",
  ]);
  const { rows } = await rig.owner.query<{ detail: object }>(
    `SELECT detail FROM audit_row WHERE verb = 'changeDevices' AND outcome = 'done'`,
  );
  expect(rows).toMatchObject([
    {
      detail: {
        before: { alpha_1: { type: "press", labels: { floor: null } } },
        after: { site: "Gebäude 7" },
        notChanged: { nobody: "missing" },
      },
    },
  ]);
  expect((await refused(change(["alpha_1"], {}))).kind).toBe("invalid-parameters");
});

test("a retired device is kept and hidden, undone, and back by itself when it sends", async () => {
  await read(deviceChangesAnswer, change(["alpha_1", "alpha_2"], { retired: true }));
  expect(await listed()).toEqual(["alpha_3"]);
  expect(await listed("where=retired%20=%20yes")).toEqual(["alpha_1", "alpha_2"]);
  expect(await listed("ids=alpha_1,alpha_3")).toEqual(["alpha_1", "alpha_3"]);
  expect(await read(fleetSummaryAnswer, rig.get("getFleetSummary"))).toMatchObject({ all: 1, total: 1 });
  const retired = await detail("alpha_1");
  expect(retired).toMatchObject({ messages: 1, returnedAt: null });
  expect(retired.retiredAt).not.toBeNull();

  await read(deviceChangesAnswer, change(["alpha_2"], { retired: false }));
  expect(await detail("alpha_2")).toMatchObject({ retiredAt: null, returnedAt: null });
  expect(await listed()).toEqual(["alpha_2", "alpha_3"]);

  await read(telemetryAnswer, rig.post(JSON.stringify([message("alpha_1", 50)])));
  await until(async () => (await detail("alpha_1")).messages === 2, { timeoutMs: 20_000 });
  const back = await detail("alpha_1");
  expect(back.retiredAt).toBeNull();
  expect(back.returnedAt).toBe(back.lastSeen);
  expect(await listed()).toEqual(NAMES);
});
