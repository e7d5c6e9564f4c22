import pg from "pg";
import { expect, test } from "vitest";
import { COOKIES, createAccessRig, whyNobody } from "@/server/testing/access-rig";
import { createAuthenticator } from "./authenticate";

const rig = createAccessRig();

test("a key shown as a cookie is nobody, and so is a cookie shown as a key", async () => {
  const { text } = await rig.newKey({ networks: ["192.0.2.7"] });
  await rig.byKey(text, { address: "192.0.2.7" });
  expect(await whyNobody(rig.byCookie(text))).toBe("The session has ended.");
  const { secret } = await rig.newSession();
  await rig.byCookie(secret);
  expect((await rig.byKey(secret)).kind).toBe("nobody");
});

test("over https only the cookie of https counts, over http only the other", async () => {
  const { secret } = await rig.newSession();
  expect((await rig.byCookie(secret)).kind).toBe("user");
  expect((await rig.byCookie(secret, { isHttps: true })).kind).toBe("nobody");
  const cookie = `fieldwatch-1=${"x".repeat(43)}; __Host-fieldwatch=${secret}`;
  expect((await rig.authenticator.callerOf({ ...rig.shown, cookie, isHttps: true })).kind).toBe("user");
  expect((await rig.authenticator.callerOf({ ...rig.shown, cookie })).kind).toBe("nobody");
});

test("of several session cookies the one that is a session counts; with two sessions it is nobody, whichever comes first", async () => {
  const [{ secret: own }, { secret: foreign }] = [await rig.newSession(), await rig.newSession()];
  for (const [first, second] of [
    [own, foreign],
    [foreign, own],
  ])
    expect(await whyNobody(rig.byCookie(`${first}; fieldwatch-1=${second}`))).toMatch(
      /^There are two session cookies: clear/,
    );
  // What another page has made up keeps nobody out.
  for (const junk of ["x", "y".repeat(43)])
    for (const [first, second] of [
      [own, junk],
      [junk, own],
    ])
      expect(await rig.byCookie(`${first}; fieldwatch-1=${second}`)).toMatchObject({ kind: "user" });
  const many = Array.from({ length: 9 }, (_, i) => `fieldwatch-1=${String(i).repeat(43)}`).join("; ");
  expect((await rig.byCookie(`${own}; ${many}`)).kind).toBe("nobody");
  expect(await rig.byCookie(`${own}; fieldwatch-1=${own}`)).toMatchObject({ kind: "user" });
  expect(await rig.byCookie(`${own}; fieldwatch-2=${foreign}; fieldwatch-1=`)).toMatchObject({ kind: "user" });
});

test("while PostgreSQL is away, callers from before stay known; others can't be told, and a revoked one isn't let in", async () => {
  const pool = new pg.Pool({ connectionString: rig.db.connectionString });
  pool.on("error", () => {});
  const cut = createAuthenticator(pool, COOKIES);
  const [known, unknown, revoked] = [await rig.newKey(), await rig.newKey(), await rig.newKey()];
  const { secret } = await rig.newSession();
  for (const { text } of [known, revoked]) await rig.byKey(text, {}, cut);
  await rig.byCookie(secret, {}, cut);
  const query = pool.query.bind(pool);
  pool.query = (() => Promise.reject(Object.assign(new Error("away"), { code: "ECONNREFUSED" }))) as typeof pool.query;
  cut.forget("anything");
  expect((await rig.byKey(known.text, {}, cut)).kind).toBe("key");
  expect((await rig.byCookie(secret, {}, cut)).kind).toBe("user");
  await expect(rig.byKey(unknown.text, {}, cut)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  // What was heard to have changed is not told from before.
  cut.forget("keys");
  await expect(rig.byKey(revoked.text, {}, cut)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  // A PostgreSQL that hangs is one that is away.
  pool.query = (() => new Promise(() => {})) as typeof pool.query;
  cut.forget("anything");
  expect((await rig.byCookie(secret, {}, cut)).kind).toBe("user");
  pool.query = query;
  await pool.end();
});
