import { appendFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import pino from "pino";
import { expect, test } from "vitest";
import { type Caller, SYSTEM } from "@/server/domain/access";
import { withTransaction } from "@/server/postgres/transaction";
import { ADA, createAuditRig } from "@/server/testing/audit-rig";
import { jobContext } from "@/server/testing/job-context";
import { addDeed, eraseValues } from "./deeds";
import { Personal } from "./personal";
import { sealRecord } from "./seal";
import { verdictOn } from "./verify";

const rig = createAuditRig();
const { query, seal, add, verify, fill } = rig;

test("all rows are sealed once, told outside of the database, and found as they were", async () => {
  await fill();
  await add("unsealed");
  const found = await verify();
  expect(found).toEqual({ fault: null, rows: 8, seals: 4, waiting: 1, erased: 0, anchors: 4, unvouched: null });
  expect(verdictOn(found, rig.files.keyFile).isGood).toBe(true);
  expect(await query("SELECT row_ids AS ids FROM audit_seal ORDER BY id")).toEqual(
    [1, 3, 5, 7].map((id) => ({ ids: [id, id + 1] })),
  );
  for (const file of [rig.files.keyFile, rig.files.anchorFile]) expect(statSync(file).mode & 0o777).toBe(0o600);
  // Nothing new, nothing told.
  const anchors = readFileSync(rig.files.anchorFile, "utf8");
  await seal();
  await seal();
  expect(readFileSync(rig.files.anchorFile, "utf8").split("\n")).toHaveLength(anchors.split("\n").length + 1);
});

test("a row whose transaction is committed late is sealed then", async () => {
  const late = await rig.pool.connect();
  await late.query("BEGIN");
  const id = await addDeed(late, ADA, { verb: "late", target: null, outcome: "done", address: null, detail: null });
  await add();
  await seal();
  await late.query("COMMIT");
  late.release();
  expect(await verify()).toMatchObject({ fault: null, waiting: 1 });
  await seal();
  expect(await query("SELECT row_ids AS ids FROM audit_seal ORDER BY id")).toEqual([{ ids: [id + 1] }, { ids: [id] }]);
  expect(await verify()).toMatchObject({ fault: null, rows: 2, waiting: 0 });
});

test("whoever is killed leaves nothing unsealed for ever, and nothing sealed twice; of several workers each row has one", async () => {
  for (let i = 0; i < 40; i++) await add();
  const dying = {
    ...jobContext(rig.pool),
    step: (work: (tx: never) => Promise<unknown>) =>
      withTransaction(rig.pool, async (tx) => {
        await work(tx as never);
        throw new Error("killed");
      }),
  } as never;
  await expect(sealRecord(dying, rig.files, pino({ level: "silent" }))).rejects.toThrow("killed");
  expect(await query("SELECT FROM audit_seal")).toHaveLength(0);

  // Killed after the commit, before the seal was told, in the middle of a line.
  await seal();
  writeFileSync(rig.files.anchorFile, "");
  appendFileSync(rig.files.anchorFile, `{"seal":1,"ti`);
  for (let i = 0; i < 40; i++) await add();
  const others = [0, 1, 2].map((n) => ({ ...rig.files, anchorFile: `${rig.files.anchorFile}.${n}` }));
  await Promise.all([rig.files, ...others].map(seal));
  await seal();
  expect(await verify()).toMatchObject({ fault: null, rows: 80, waiting: 0, anchors: 1 });
});

test("a new key seals on, and keys of before vouch for what they sealed", async () => {
  await fill();
  const before = readFileSync(rig.files.keyFile, "utf8");
  writeFileSync(rig.files.keyFile, `${"n".repeat(40)}\n${before}`);
  await add();
  await seal();
  expect(await verify({ anchored: false })).toMatchObject({ fault: null, seals: 5, unvouched: null });
  writeFileSync(rig.files.keyFile, `${"n".repeat(40)}\n`);
  expect((await verify({ anchored: false })).unvouched).toMatchObject({ seal: 1 });
  expect(await verify()).toMatchObject({ fault: null, unvouched: null });
  writeFileSync(rig.files.keyFile, "short\n");
  await add();
  await expect(seal()).rejects.toThrow("32 characters");
  await expect(seal({ ...rig.files, keyFile: `${rig.files.keyFile}.none`, makesKey: false })).rejects.toThrow(
    "isn't there",
  );
});

test("what is of people stands apart, and erasing it leaves the record as it was sealed", async () => {
  await addDeed(rig.pool, ADA, {
    ...{ verb: "updateUser", target: "2", outcome: "done", address: "10.0.0.7" },
    detail: {
      before: { email: new Personal("bob@example.com", 2) },
      after: { email: new Personal(null, 2), list: ["a"] },
    },
  });
  await addDeed(
    rig.pool,
    { kind: "nobody" },
    {
      ...{
        verb: "signIn",
        target: new Personal("bob@example.com", null),
        outcome: "denied",
        address: "10.0.0.8",
        detail: null,
      },
    },
  );
  await addDeed(rig.pool, { ...ADA, accountId: 2, name: "Bob" } as Caller, {
    ...{ verb: "signOut", target: null, outcome: "done", address: "10.0.0.9", detail: null },
  });
  await seal();
  const sealed = JSON.stringify(await query("SELECT audit_row::text FROM audit_row"));
  for (const value of ["Ada", "Bob", "bob@example.com", "10.0.0"]) expect(sealed).not.toContain(value);
  await withTransaction(rig.pool, async (tx) => {
    const erased = await eraseValues(tx, 2, null);
    expect(erased).toEqual({ values: 5, from: { 1: ["detail.before.email"], 2: ["address", "target"] } });
    const deed = { verb: "deleteUser", target: "2", outcome: "done", address: null, detail: { erased } } as const;
    await addDeed(tx, SYSTEM, deed);
  });
  // At once, and when the removal is sealed, too.
  expect(await verify()).toMatchObject({ fault: null, erased: 5, waiting: 1 });
  await seal();
  expect(await verify()).toMatchObject({ fault: null, erased: 5 });
  expect(
    (await query<{ value: string }>("SELECT value FROM audit_value ORDER BY 1")).map(({ value }) => value),
  ).toEqual(["10.0.0.7", "Ada"]);
});

test("odd text is kept as far as PostgreSQL can hold it", async () => {
  await add("odd", { after: { notes: "a\0b\ud800c", list: [1.5, null, true, { "k\0": "\u2028" }] } });
  await seal();
  expect(await verify()).toMatchObject({ fault: null, rows: 1 });
  expect(await query("SELECT detail FROM audit_row")).toEqual([
    { detail: { after: { notes: "a\ufffdb\ufffdc", list: [1.5, null, true, { "k\ufffd": "\u2028" }] } } },
  ]);
});

test("more rows than a seal holds are sealed in several, and rows and seals are only added to", async () => {
  await query(`INSERT INTO audit_row (time, actor_kind, actor, verb, outcome)
    SELECT now() - interval '9 hours' + n * interval '10 s', 'system', 'system', 'x', 'done' FROM generate_series(1, 2500) n`);
  await seal();
  expect(await verify()).toMatchObject({ fault: null, rows: 2500, seals: 3 });
  for (const sql of [
    "UPDATE audit_seal SET id = 9",
    "DELETE FROM audit_seal",
    "TRUNCATE audit_seal",
    "UPDATE audit_value SET value = ''",
  ])
    await expect(query(sql)).rejects.toMatchObject({ code: "42501" });
});
