import { beforeAll, describe, expect, test } from "vitest";
import { deviceDetail, devicesAnswer } from "@/server/contracts/devices";
import { telemetryAnswer } from "@/server/contracts/telemetry";
import { createApiRig, JSON_TYPE, message, read, refused } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";

const rig = createApiRig();
const detail = () => read(deviceDetail, rig.get("getDevice", { id: "alpha_1" }));

describe("from a message to every answer", () => {
  beforeAll(async () => {
    await read(telemetryAnswer, rig.post(JSON.stringify([message("alpha_1", 2)])));
    // The device is there before its first message is.
    await until(async () => (await detail()).messages === 1, { timeoutMs: 20_000 });
  });

  describe("properties", () => {
    const patch = (body: unknown, headers: Record<string, string> = {}, id = "alpha_1") =>
      rig.api.handle(
        "updateDevice",
        new Request("http://here/api", {
          method: "PATCH",
          body: typeof body === "string" ? body : JSON.stringify(body),
          headers: { ...JSON_TYPE, ...headers },
        }),
        { id },
      );

    test("a person's words are kept; a new site is added; what is left out stays", async () => {
      const before = await detail();
      const after = await read(deviceDetail, patch({ site: "yard", notes: "  behind the gate\n" }));
      expect(after).toMatchObject({ site: "yard", type: "press", notes: "behind the gate", setByPerson: ["site"] });
      expect(Date.parse(after.updatedAt)).toBeGreaterThan(Date.parse(before.updatedAt));
      expect(after.messages).toBe(before.messages);
      expect((await read(devicesAnswer, rig.get("listDevices", {}, "site=yard"))).items.map(({ id }) => id)).toEqual([
        "alpha_1",
      ]);
    });

    test("site and type are free text, and a site is found by its name in an address", async () => {
      const site = 'Werk Köln, "Halle 3"/é & =1+1';
      expect(await read(deviceDetail, patch({ site: `  ${site} `, type: "CO2 meter" }))).toMatchObject({
        site,
        type: "CO2 meter",
      });
      const query = new URLSearchParams({ site: site.normalize("NFD") }).toString();
      expect((await read(devicesAnswer, rig.get("listDevices", {}, query))).items.map(({ id }) => id)).toEqual([
        "alpha_1",
      ]);
      const csv = await (await rig.get("exportDevices", {}, query)).text();
      expect(csv).toContain('alpha_1,"Werk Köln, ""Halle 3""/é & =1+1",CO2 meter,');
      expect(await read(deviceDetail, patch({ site: "" }))).toMatchObject({ site: null });
    });

    test("what a person set, be it to nothing, is not filled in by messages", async () => {
      await read(deviceDetail, patch({ site: null, type: null }));
      const { messages } = await detail();
      await read(telemetryAnswer, rig.post(JSON.stringify([message("alpha_1", 50)])));
      await until(async () => (await detail()).messages === messages + 1, { timeoutMs: 20_000 });
      expect(await detail()).toMatchObject({ site: null, type: null, setByPerson: ["site", "type"] });
    });

    test("a change of what isn't there any more is refused and writes nothing", async () => {
      const { updatedAt } = await detail();
      await read(deviceDetail, patch({ type: "lathe" }, { "if-match": `"${updatedAt}"` }));
      const late = await refused(patch({ type: "mill", site: "nowhere" }, { "if-match": `"${updatedAt}"` }));
      expect(late).toMatchObject({ status: 412, kind: "changed-meanwhile", current: { type: "lathe", site: null } });
      expect(await detail()).toMatchObject({ type: "lathe", site: null });
      expect((await read(devicesAnswer, rig.get("listDevices"))).sites).not.toContain("nowhere");
    });

    test("labels of messages and of people: shown, found, filtered by, exported, audited", async () => {
      const { messages } = await detail();
      const sent = { ...message("alpha_1", 51), labels: { room: "kitchen", floor: "2" } };
      await read(telemetryAnswer, rig.post(JSON.stringify([sent])));
      await until(async () => (await detail()).messages === messages + 1, { timeoutMs: 20_000 });
      expect(await detail()).toMatchObject({ labels: { floor: "2", room: "kitchen" }, labelsByPerson: [] });
      const after = await read(deviceDetail, patch({ labels: { room: " hall ", owner: "Ada: 1" } }));
      expect(after).toMatchObject({ labels: { floor: "2", owner: "Ada: 1", room: "hall" }, type: "lathe" });
      expect(after.labelsByPerson).toEqual(["owner", "room"]);

      const found = async (query: Record<string, string> | string[][]) =>
        (await read(devicesAnswer, rig.get("listDevices", {}, new URLSearchParams(query).toString()))).items;
      expect((await found({ label: "room:hall" })).map(({ labels }) => labels)).toEqual([after.labels]);
      for (const query of [{ label: "owner" }, { search: "HALL" }, { search: "room:ha" }])
        expect(await found(query)).toHaveLength(1);
      expect(
        await found([
          ["label", "room:hall"],
          ["label", "owner:Ada: 1"],
        ]),
      ).toHaveLength(1);
      expect(
        await found([
          ["label", "room:hall"],
          ["label", "floor:3"],
        ]),
      ).toHaveLength(0);
      expect(await found({ label: "room:kitchen" })).toHaveLength(0);
      const csv = await (await rig.get("exportDevices", {}, "label=floor:2")).text();
      expect(csv).toContain(",floor:2; owner:Ada: 1; room:hall");

      const back = await read(deviceDetail, patch({ labels: { room: null, owner: null } }));
      expect(back).toMatchObject({ labels: { floor: "2", room: "kitchen" }, labelsByPerson: [] });
    });

    test.each([
      [{ labels: { room: 7 } }, "labels.room"],
      [{ labels: { "": "x" } }, "labels."],
      [{ labels: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`k${i}`, "v"])) }, "labels"],
      [{ site: "Hall\n3" }, "site"],
      [{ site: 7 }, "site"],
      [{ type: "x".repeat(129) }, "type"],
      [{ notes: "x".repeat(4001) }, "notes"],
      [{ name: "other" }, "name"],
      [[], "body"],
    ])("%j is refused and named", async (body, at) => {
      const answer = await refused(patch(body));
      expect([answer.status, answer.errors?.[0]?.at]).toEqual([400, at]);
    });

    test("what can't be read, or isn't there", async () => {
      expect((await refused(patch("{"))).kind).toBe("unreadable-body");
      expect((await refused(patch({}, { "content-type": "text/plain" }))).status).toBe(415);
      expect((await refused(patch({ notes: "x".repeat(70_000) }))).status).toBe(413);
      expect((await refused(patch({}, { "if-match": "yesterday" }))).status).toBe(400);
      expect((await refused(patch({ notes: "a" }, {}, "nobody"))).status).toBe(404);
    });
  });
});
