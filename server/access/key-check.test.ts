import type pg from "pg";
import { expect, test } from "vitest";
import { signatureOf, SYSTEM } from "@/server/domain/access";
import { prismaIn } from "@/server/postgres/prisma";
import { withTransaction } from "@/server/postgres/transaction";
import { COOKIES, createAccessRig, whyNobody } from "@/server/testing/access-rig";
import { until } from "@/server/testing/until";
import { createAuthenticator } from "./authenticate";
import { makeKey, type WantedKey } from "./keys";
import { newKey as makeText } from "./secrets";

const rig = createAccessRig();

test("a key is told by its kind, its roles and its device, and that it was used is noted", async () => {
  const service = await rig.newKey({ kind: "service", role: "viewer" });
  expect(await rig.byKey(service.text)).toEqual({
    ...{ kind: "key", keyId: service.key.id, name: "line 7", of: "service", siteId: null, device: null },
    grants: [{ role: "viewer", siteId: null }],
  });
  const device = await rig.newKey({ kind: "device", device: "press-1" });
  expect(await rig.byKey(device.text)).toMatchObject({ of: "device", device: "press-1", grants: [] });
  await until(async () => {
    const { rows } = await rig.db.pool.query(
      `SELECT 1 FROM access_key WHERE id = $1 AND last_used_from = '10.0.0.1' AND last_used_at > now() - interval '2 minutes'`,
      [device.key.id],
    );
    return rows.length === 1;
  });
});

test("what is no key, or not ours, or ended, is nobody with the reason", async () => {
  const { text, key } = await rig.newKey();
  const mistyped = text.slice(0, 20) + (text[20] === "a" ? "b" : "a") + text.slice(21);
  for (const [authorization, reason] of [
    [`Bearer ${mistyped}`, "This is no key: one begins with `fw`, and must be whole."],
    [`Bearer ${text.slice(0, -1)}`, "This is no key: one begins with `fw`, and must be whole."],
    ["Bearer ", "This is no key: one begins with `fw`, and must be whole."],
    [`Basic ${text}`, "The Authorization header holds no key: it must be `Bearer fw…`, whole."],
    [text, "The Authorization header holds no key: it must be `Bearer fw…`, whole."],
    ["", "The Authorization header holds no key: it must be `Bearer fw…`, whole."],
  ] as const)
    expect(await whyNobody(rig.authenticator.callerOf({ ...rig.shown, authorization }))).toBe(reason);
  expect(await rig.byKey(text)).toMatchObject({ kind: "key" });
  // The scheme's name is in any case; the key is not.
  expect(await rig.authenticator.callerOf({ ...rig.shown, authorization: `bearer ${text}` })).toMatchObject({
    kind: "key",
  });

  const foreign = await withTransaction(rig.db.pool, async (tx) => {
    const made = await makeKey(prismaIn(tx), wantedOf(), signatureOf(SYSTEM));
    await tx.query(`DELETE FROM access_key WHERE id = $1`, [made.key.id]);
    return made.text;
  });
  expect(await whyNobody(rig.byKey(foreign))).toBe("The key is not known here.");

  await rig.db.pool.query(`UPDATE access_key SET secret_hash = sha256('another') WHERE id = $1`, [key.id]);
  rig.authenticator.forget("keys");
  expect(await whyNobody(rig.byKey(text))).toBe("The key is not known here.");

  const revoked = await rig.newKey();
  await rig.db.pool.query(`UPDATE access_key SET revoked_at = now() WHERE id = $1`, [revoked.key.id]);
  expect(await whyNobody(rig.byKey(revoked.text))).toBe("The key line 7 is revoked.");
  const expired = await rig.newKey({ expiresAt: Date.now() - 1000 });
  expect(await whyNobody(rig.byKey(expired.text))).toBe("The key line 7 is expired.");
});

function wantedOf(): WantedKey {
  return { kind: "site", name: "gone", device: null, networks: [], expiresAt: null, grants: [] };
}

test("a known key ends when it expires, however long it would be remembered", async () => {
  const { text } = await rig.newKey({ expiresAt: Date.now() + 3000 });
  expect(await rig.byKey(text)).toMatchObject({ kind: "key" });
  await until(async () => (await whyNobody(rig.byKey(text))) === "The key line 7 is expired.", { timeoutMs: 15_000 });
});

test("a key of some networks is refused from others, known or not", async () => {
  const { text } = await rig.newKey({ networks: ["10.1.0.0/16", "2001:db8::/32", "192.0.2.7"] });
  for (const address of ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1", "192.0.2.7"])
    expect(await rig.byKey(text, { address })).toMatchObject({ kind: "key" });
  for (const address of ["10.2.0.1", "2001:db9::1", "192.0.2.8", "::1", "localhost", ""])
    expect(await whyNobody(rig.byKey(text, { address }))).toBe(`The key line 7 may not be used from ${address}.`);
  expect(await whyNobody(rig.byKey(text, { address: null }))).toBe("The key line 7 may not be used from there.");
});

test("an answer from before a change doesn't undo it, and many who ask at once are one question", async () => {
  const { text, key } = await rig.newKey();
  let asked = 0;
  let release = () => {};
  const hold = new Promise<void>((resolve) => (release = resolve));
  const query = (async (...args: Parameters<typeof rig.db.pool.query>) => {
    const answer = await rig.db.pool.query(...args);
    if (String(args[0]).includes("secret_hash")) {
      asked += 1;
      await hold;
    }
    return answer;
  }) as unknown as pg.Pool["query"];
  const slow = createAuthenticator({ query } as pg.Pool, COOKIES);
  const before = Promise.all(Array.from({ length: 100 }, () => rig.byKey(text, {}, slow)));
  await until(() => asked === 1);
  await rig.db.pool.query(`UPDATE access_key SET revoked_at = now() WHERE id = $1`, [key.id]);
  slow.forget("keys");
  release();
  expect(new Set((await before).map(({ kind }) => kind))).toEqual(new Set(["key"]));
  expect(await whyNobody(rig.byKey(text, {}, slow))).toBe("The key line 7 is revoked.");
  expect(asked).toBe(2);
});

test("10,000 keys are all remembered, and 2,000 guesses push none of them out", async () => {
  await rig.db.pool.query(
    `INSERT INTO access_key (id, kind, name, secret_hash, made_by) SELECT 'k' || lpad(i::text, 11, '0'), 'site', 'k', sha256(('s' || i)::bytea), 'test' FROM generate_series(1, 10000) i`,
  );
  let queries = 0;
  const query = ((...args: Parameters<typeof rig.db.pool.query>) => {
    queries += 1;
    return rig.db.pool.query(...args);
  }) as unknown as pg.Pool["query"];
  const counted = createAuthenticator({ query } as pg.Pool, COOKIES);
  const texts = Array.from({ length: 12_000 }, () => makeText("site").text);
  const [ours, guesses] = [texts.slice(0, 10_000), texts.slice(10_000)];
  await rig.db.pool.query(
    `UPDATE access_key k SET id = n.id, secret_hash = sha256(n.secret::bytea)
     FROM unnest($1::text[], $2::text[], $3::text[]) n (old, id, secret) WHERE k.id = n.old`,
    [
      ours.map((_, i) => `k${String(i + 1).padStart(11, "0")}`),
      ours.map((text) => text.split("_")[1]),
      ours.map((text) => text.slice(17, 60)),
    ],
  );
  const kinds = async (all: string[]) =>
    new Set((await Promise.all(all.map((text) => rig.byKey(text, {}, counted)))).map((c) => c.kind));
  expect(await kinds(ours)).toEqual(new Set(["key"]));
  // Asked for by hundreds, not one by one.
  expect(queries).toBeLessThan(100);
  expect(await kinds(guesses)).toEqual(new Set(["nobody"]));
  queries = 0;
  expect(await kinds(ours)).toEqual(new Set(["key"]));
  expect(queries).toBe(0);
});

test("keys in use are asked for again by hundreds, each as it is now, and idle ones not at all", async () => {
  let questions: (readonly string[])[] = [];
  const query = ((...args: Parameters<typeof rig.db.pool.query>) => {
    if (String(args[0]).includes("secret_hash")) questions.push((args as unknown as [string, [string[]]])[1][0]);
    return rig.db.pool.query(...args);
  }) as unknown as pg.Pool["query"];
  const counted = createAuthenticator({ query } as pg.Pool, COOKIES);
  const made = await Promise.all(Array.from({ length: 30 }, () => rig.newKey()));
  const [idle, ...busy] = made;
  const all = async (keys: typeof made) =>
    Promise.all(keys.map(async ({ text }) => (await rig.byKey(text, {}, counted)).kind));
  await all(made);
  await all(busy);
  questions = [];
  const [first, revoked, ...others] = busy;
  await rig.db.pool.query(`UPDATE access_key SET revoked_at = now() WHERE id = $1`, [revoked!.key.id]);
  // Only heard to be in doubt, as after a notification that was lost.
  counted.forget("anything");
  expect((await rig.byKey(first!.text, {}, counted)).kind).toBe("key");
  expect((await rig.byKey(revoked!.text, {}, counted)).kind).toBe("nobody");
  expect(new Set(await all(others))).toEqual(new Set(["key"]));
  expect(questions.map((ids) => ids.toSorted())).toEqual([busy.map(({ key }) => key.id).sort()]);
  await all([idle!]);
  expect(questions.at(-1)).toEqual([idle!.key.id]);
});
