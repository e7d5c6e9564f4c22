import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Caller } from "@/server/domain/access";
import { loadConfig } from "@/server/config/config";
import { sealSecrets } from "@/server/sources/rows";
import { createKeptSecrets, isSealed } from "@/server/config/kept-secrets";
import { createApiRig } from "@/server/testing/api-rig";

const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-secrets-"));
const rig = createApiRig({ FIELDWATCH_DATA_DIR: folder });
afterAll(() => rmSync(folder, { recursive: true }));
const EDITOR: Caller = {
  ...{ kind: "key", keyId: "editor", name: "editor", of: "service", siteId: null, device: null },
  grants: [{ role: "editor", siteId: null }],
};
const DOOR = { type: "mqtt-bridge", url: "mqtt://broker.example", clientId: "fw", username: "me", topics: ["#"] };

const ask = async (verb: "addSource" | "updateSource", body: object, source?: string) => {
  const request = new Request("http://here/", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await rig.compose({ caller: EDITOR }).handle(verb, request, source === undefined ? {} : { source });
  return [answer.status, await answer.text()] as const;
};
const keptOf = async (name: string) => {
  const { rows } = await rig.owner.query<{ kept: string | null }>(
    `SELECT door_secret AS kept FROM source WHERE name = $1`,
    [name],
  );
  return rows[0]!.kept;
};
const secrets = () => createKeptSecrets(loadConfig({ FIELDWATCH_DATA_DIR: folder }, ""));

test("a source's password is in the database encrypted, for that source alone, and in no answer or record", async () => {
  const [status, text] = await ask("addSource", {
    name: "barn",
    kind: "generic",
    door: DOOR,
    secret: "hunter2 hunter2",
  });
  expect([status, text]).toEqual([200, expect.not.stringContaining("hunter2")]);
  const kept = (await keptOf("barn"))!;
  expect(isSealed(kept)).toBe(true);
  expect(secrets().open(kept, "source barn")).toBe("hunter2 hunter2");
  const { revision } = JSON.parse(text) as { revision: number };
  expect((await ask("updateSource", { revision, title: "Barn" }, "barn"))[0]).toBe(200);
  expect(await keptOf("barn")).toBe(kept);
  expect((await ask("updateSource", { revision: revision + 1, secret: "another one" }, "barn"))[0]).toBe(200);
  expect(secrets().open((await keptOf("barn"))!, "source barn")).toBe("another one");
  const { rows } = await rig.owner.query<{ told: string }>(
    `SELECT string_agg(detail::text, '') AS told FROM audit_row`,
  );
  expect(rows[0]!.told).not.toMatch(/hunter2|another one|sealed\./);
});

test("what a version before has kept in the clear is encrypted once, and opens as before", async () => {
  await rig.owner.query(
    `INSERT INTO source (name, kind, answer, door, door_secret) VALUES ('old', 'generic', 'webhook', $1, 'in the clear')`,
    [JSON.stringify(DOOR)],
  );
  expect(await sealSecrets(rig.engines.pool, secrets())).toBe(1);
  const kept = (await keptOf("old"))!;
  expect(secrets().open(kept, "source old")).toBe("in the clear");
  expect(await sealSecrets(rig.engines.pool, secrets())).toBe(0);
  expect(await keptOf("old")).toBe(kept);
});
