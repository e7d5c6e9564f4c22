import pino from "pino";
import { expect, test } from "vitest";
import { COOKIES, createAccessRig } from "@/server/testing/access-rig";
import { until } from "@/server/testing/until";
import { type Changed, createAuthenticator } from "./authenticate";
import { watchAccess } from "./watch";

const logger = pino({ level: "silent" });
const rig = createAccessRig();

test("every change of what callers may do is told, by whomever it is made, and what changes nothing is not", async () => {
  const heard: Changed[] = [];
  const stop = watchAccess(rig.db.connectionString, logger, (changed) => heard.push(changed));
  await until(() => heard.length === 1);
  const { accountId } = await rig.newSession();
  const { key } = await rig.newKey({ kind: "service", role: "viewer" });
  const told = async (sql: string) => {
    // Everything is heard in order: what comes between two of these was told by the statement.
    for (const statement of ["SELECT", sql]) {
      heard.length = 0;
      await rig.db.pool.query(statement);
      await rig.db.pool.query(`NOTIFY fieldwatch_access, 'end of it'`);
      await until(() => heard.at(-1) === "anything");
    }
    return heard.slice(0, -1);
  };
  const ofAccount = `WHERE account_id = ${accountId}`;
  expect(await told(`UPDATE account SET name = 'Ada L' WHERE id = ${accountId}`)).toEqual(["people"]);
  expect(await told(`UPDATE account SET disabled_at = now() WHERE id = ${accountId}`)).toEqual(["people"]);
  expect(await told(`UPDATE role_grant SET role = 'viewer' ${ofAccount}`)).toEqual(["people"]);
  expect(await told(`INSERT INTO role_grant (account_id, role) VALUES (${accountId}, 'admin')`)).toEqual(["people"]);
  expect(await told(`DELETE FROM role_grant ${ofAccount}`)).toEqual(["people"]);
  expect(await told(`UPDATE session SET ends_at = now() ${ofAccount}`)).toEqual(["people"]);
  expect(await told(`DELETE FROM session ${ofAccount}`)).toEqual(["people"]);
  expect(await told(`DELETE FROM account WHERE id = ${accountId}`)).toEqual(["people"]);
  for (const change of ["revoked_at = now()", "expires_at = now()", "networks = '{10.0.0.0/8}'", "secret_hash = ''"])
    expect(await told(`UPDATE access_key SET ${change} WHERE id = '${key.id}'`)).toEqual(["keys"]);
  expect(await told(`DELETE FROM role_grant WHERE key_id = '${key.id}'`)).toEqual(["keys"]);
  expect(await told(`DELETE FROM access_key WHERE id = '${key.id}'`)).toEqual(["keys"]);
  expect(await told(`TRUNCATE session`)).toEqual(["people"]);

  const other = await rig.newSession();
  expect(await told(`DELETE FROM session WHERE account_id = 0`)).toEqual([]);
  expect(await told(`UPDATE session SET last_used_at = now() WHERE account_id = ${other.accountId}`)).toEqual([]);
  expect(await told(`UPDATE access_key SET last_used_at = now()`)).toEqual([]);
  await stop();
});

test("two processes learn of a revocation within 2 s, also after their connections were lost", async () => {
  const two = [createAuthenticator(rig.db.pool, COOKIES), createAuthenticator(rig.db.pool, COOKIES)];
  const stops = two.map((one) => watchAccess(rig.db.connectionString, logger, (changed) => one.forget(changed)));
  const listening = async () => {
    const { rows } = await rig.db.pool.query<{ n: number }>(
      `SELECT count(*)::integer AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'fieldwatch access' AND query LIKE '%LISTEN%' AND state = 'idle'`,
    );
    return rows[0]!.n === 2;
  };
  for (const round of ["first", "after the connections were lost"]) {
    await until(listening, { timeoutMs: 15_000, what: round });
    const { text, key } = await rig.newKey();
    for (const one of two) expect((await rig.byKey(text, {}, one)).kind).toBe("key");
    await rig.db.pool.query(`UPDATE access_key SET revoked_at = now() WHERE id = $1`, [key.id]);
    for (const one of two)
      await until(async () => (await rig.byKey(text, {}, one)).kind === "nobody", { timeoutMs: 2000, what: round });
    await rig.db.pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'fieldwatch access'`,
    );
  }
  for (const stop of stops) await stop();
});
