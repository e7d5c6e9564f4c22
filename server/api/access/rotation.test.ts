import { expect, test } from "vitest";
import { createAuthenticator } from "@/server/access/authenticate";
import { watchAccess } from "@/server/access/watch";
import { keyView, madeKey } from "@/server/contracts/access";
import { createApiRig, JSON_TYPE, read } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";
import { credentialsIn } from "../address";
import type { VerbName } from "../verbs";

const rig = createApiRig();

function call(verb: VerbName, params: Record<string, string>, body: object) {
  const request = new Request("http://here/x", { method: "POST", headers: JSON_TYPE, body: JSON.stringify(body) });
  return rig.api.handle(verb, request, params);
}

test("a key is rotated while many send by it, and no message is lost or stored twice", async () => {
  const first = await read(madeKey, call("makeAccessKey", {}, { kind: "site", name: "line 7" }));
  const authenticator = createAuthenticator(rig.engines.pool, { secure: "s", plain: "p" });
  const stop = watchAccess(rig.connectionString, rig.logger, (changed) => authenticator.forget(changed));
  const to = rig.compose({
    callerOf: (request) => authenticator.callerOf(credentialsIn(request)),
  });
  // As in a gateway that reads its key from a file, before each request.
  let inPlace = first.text;
  const answers: Record<number, number> = {};
  let sent = 0;
  let enough = false;
  const lane = async (device: string) => {
    while (!enough) {
      const body = JSON.stringify({ device, time: Date.now() - 60_000 + sent, readings: { number: sent++ } });
      for (let status = 0; status !== 202;) {
        const headers = { ...JSON_TYPE, authorization: `Bearer ${inPlace}` };
        ({ status } = await rig.post(body, { headers, to }));
        answers[status] = (answers[status] ?? 0) + 1;
      }
    }
  };
  try {
    const lanes = Array.from({ length: 8 }, (_, i) => lane(`press-${i}`));
    const more = async (count: number) => {
      const before = sent;
      await until(() => sent >= before + count, { timeoutMs: 20_000 });
    };
    await more(50);
    const second = await read(madeKey, call("rotateAccessKey", { id: first.key.id }, {}));
    await more(50);
    inPlace = second.text;
    await more(50);
    await read(keyView, call("revokeAccessKey", { id: first.key.id }, {}));
    await more(50);
    enough = true;
    await Promise.all(lanes);
    // Both worked, so nobody was refused at any moment.
    expect(answers).toEqual({ 202: sent });
    inPlace = first.text;
    await until(async () => {
      const headers = { ...JSON_TYPE, authorization: `Bearer ${inPlace}` };
      return (await rig.post("{}", { headers, to })).status === 401;
    });
    await until(
      async () => {
        const { rows } = await rig.owner.query<{ stored: number; different: number }>(
          `SELECT count(*)::integer AS stored, count(DISTINCT value)::integer AS different FROM reading WHERE metric = 'number'`,
        );
        return rows[0]!.stored === sent && rows[0]!.different === sent;
      },
      { timeoutMs: 20_000 },
    );
  } finally {
    enough = true;
    await stop();
  }
});
