import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pino from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { AuditFiles } from "@/server/config/audit-files";
import type { Caller } from "@/server/domain/access";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { jobContext } from "@/server/testing/job-context";
import { withTransaction } from "@/server/postgres/transaction";
import { readAnchors } from "./anchors";
import { hashOfRow, hashOfSeal, macOf, merkleRoot, SEALED_COLUMNS, type SealedRow } from "./canonical";
import { addDeed, eraseValues } from "./deeds";
import { readAuditKeys } from "./keys";
import { Personal } from "./personal";
import { sealRecord } from "./seal";
import { type Verified, verdictOn, verifyRecord } from "./verify";

let db: TestDatabase;
let folder: string;
let files: AuditFiles;
const silent = pino({ level: "silent" });

beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());
beforeEach(async () => {
  await forge("TRUNCATE audit_row, audit_value, audit_unsealed, audit_seal RESTART IDENTITY");
  folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-audit-"));
  files = {
    keyFile: path.join(folder, "audit.key"),
    makesKey: true,
    anchorFile: path.join(folder, "out", "anchors.ndjson"),
  };
});
afterEach(() => rmSync(folder, { recursive: true }));

const query = async <T extends object>(sql: string, values: unknown[] = []) =>
  (await db.pool.query<T>(sql, values)).rows;
const seal = (at = files) => sealRecord(jobContext(db.pool), at, silent);

/** Somebody who may do everything in the database does this, past the triggers. */
async function forge(sql: string, values: unknown[] = []) {
  await withTransaction(db.pool, async (tx) => {
    await tx.query("SET LOCAL session_replication_role = replica");
    await tx.query(sql, values);
  });
}

const ADA: Caller = { kind: "user", accountId: 1, name: "Ada", sessionId: "s", provenAt: 0, grants: [] };
const add = (verb = "updateDevice", detail: object | null = { after: { notes: "über" } }) =>
  addDeed(db.pool, ADA, { verb, target: "press-1", outcome: "done", address: "10.0.0.7", detail });

async function verify({ anchored = true, keyed = true } = {}): Promise<Verified> {
  return withTransaction(
    db.pool,
    (tx) =>
      verifyRecord(tx, {
        keys: keyed ? readAuditKeys(files.keyFile) : null,
        anchors: anchored ? readAnchors(files.anchorFile) : [],
      }),
    ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"],
  );
}

/** Four seals of two rows each: rows 1 to 8. */
async function fill() {
  for (let i = 0; i < 4; i++) {
    await add();
    await add();
    await seal();
  }
}

test("all rows are sealed once, told outside of the database, and found as they were", async () => {
  await fill();
  await add("unsealed");
  const found = await verify();
  expect(found).toEqual({ fault: null, rows: 8, seals: 4, waiting: 1, erased: 0, anchors: 4, unvouched: null });
  expect(verdictOn(found, files.keyFile).isGood).toBe(true);
  expect(await query("SELECT row_ids AS ids FROM audit_seal ORDER BY id")).toEqual(
    [1, 3, 5, 7].map((id) => ({ ids: [id, id + 1] })),
  );
  for (const file of [files.keyFile, files.anchorFile]) expect(statSync(file).mode & 0o777).toBe(0o600);
  // Nothing new, nothing told.
  const anchors = readFileSync(files.anchorFile, "utf8");
  await seal();
  await seal();
  expect(readFileSync(files.anchorFile, "utf8").split("\n")).toHaveLength(anchors.split("\n").length + 1);
});

test("a row whose transaction is committed late is sealed then", async () => {
  const late = await db.pool.connect();
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
    ...jobContext(db.pool),
    step: (work: (tx: never) => Promise<unknown>) =>
      withTransaction(db.pool, async (tx) => {
        await work(tx as never);
        throw new Error("killed");
      }),
  } as never;
  await expect(sealRecord(dying, files, silent)).rejects.toThrow("killed");
  expect(await query("SELECT FROM audit_seal")).toHaveLength(0);

  // Killed after the commit, before the seal was told, in the middle of a line.
  await seal();
  writeFileSync(files.anchorFile, "");
  appendFileSync(files.anchorFile, `{"seal":1,"ti`);
  for (let i = 0; i < 40; i++) await add();
  const others = [0, 1, 2].map((n) => ({ ...files, anchorFile: `${files.anchorFile}.${n}` }));
  await Promise.all([files, ...others].map(seal));
  await seal();
  expect(await verify()).toMatchObject({ fault: null, rows: 80, waiting: 0, anchors: 1 });
});

test.each<[string, () => Promise<unknown>, RegExp]>([
  ["an edit", () => forge(`UPDATE audit_row SET verb = 'x' WHERE id = 3`), /^Row 3 \(x\) was changed after seal 2 /],
  ["an edit of the detail", () => forge(`UPDATE audit_row SET detail = '{"a":1}' WHERE id = 4`), /^Row 4 .* changed/],
  [
    "an edit of the time",
    () => forge(`UPDATE audit_row SET time = time - interval '1 ms' WHERE id = 8`),
    /^Row 8 .* changed/,
  ],
  ["a removal", () => forge("DELETE FROM audit_row WHERE id = 5"), /^Row 5 is gone: seal 3 /],
  [
    "a reorder",
    () => forge("UPDATE audit_row r SET time = o.time FROM audit_row o WHERE (r.id, o.id) IN ((2, 3), (3, 2))"),
    /^Row 2 .* changed/,
  ],
  [
    "an insertion",
    () =>
      forge(
        `INSERT INTO audit_row (id, actor_kind, actor, verb, outcome) OVERRIDING SYSTEM VALUE VALUES (-7, 'x', 'x', 'x', 'done')`,
      ),
    /^Row -7 .* was put there/,
  ],
  [
    "an insertion that is sealed",
    async () => {
      await query(
        `INSERT INTO audit_row (id, time, actor_kind, actor, verb, outcome) OVERRIDING SYSTEM VALUE VALUES (-7, now() - interval '2 hours', 'x', 'x', 'x', 'done')`,
      );
      await seal();
    },
    /^Row -7 .* added later/,
  ],
  [
    "a row that is taken away before its seal",
    async () => {
      const id = await add();
      await forge("DELETE FROM audit_row WHERE id = $1", [id]);
    },
    /^Row 9 is gone: it waited/,
  ],
  [
    "a changed personal value",
    () => forge(`UPDATE audit_value SET value = 'Eve' WHERE row_id = 6 AND path = 'actor'`),
    /^Row 6 .* "actor" was changed/,
  ],
  [
    "a personal value that was put there",
    () => forge(`INSERT INTO audit_value VALUES (6, 'x', 1, '', 'Eve')`),
    /^Row 6 .* "x" was changed/,
  ],
  ["an edited seal", () => forge(`UPDATE audit_seal SET time = now() WHERE id = 2`), /^Seal 2 .* was changed/],
  [
    "an edited row with its hash in the seal",
    async () => {
      await forge(`UPDATE audit_row SET verb = 'x' WHERE id = 3`);
      await forge(`UPDATE audit_seal SET row_hashes = $1 || substr(row_hashes, 33) WHERE id = 2`, [await hashIs(3)]);
    },
    /^Seal 2 .* was changed/,
  ],
  ["a seal taken out", () => forge("DELETE FROM audit_seal WHERE id = 2"), /^Seal 2 is gone/],
  [
    "a tail of seals cut off",
    () => forge("DELETE FROM audit_seal WHERE id > 2; DELETE FROM audit_row WHERE id > 4"),
    /^Seals 3 to 4 are gone.*cut off/,
  ],
  ["the whole record gone", () => forge("DELETE FROM audit_seal; DELETE FROM audit_row"), /^Seals 1 to 4 are gone/],
  ["a rewrite", () => rewrite(1), /^Seal 1 .* our key/],
  ["a rewrite of the end", () => rewrite(3), /^Seal 3 .* our key/],
])("%s is found, and named", async (_, harm, words) => {
  await fill();
  await harm();
  const found = await verify();
  expect(found.fault).toMatch(words);
  expect(verdictOn(found, files.keyFile).isGood).toBe(false);
});

async function hashIs(id: number): Promise<Buffer> {
  const [row] = await query<SealedRow>(`SELECT ${SEALED_COLUMNS} FROM audit_row r WHERE id = $1`, [id]);
  return hashOfRow(row!);
}

/** Changes a row and writes the record anew from a seal on, as whoever has the database alone can: with another key. */
async function rewrite(from: number, keyId?: string): Promise<void> {
  await forge("UPDATE audit_row SET verb = 'x' WHERE id = $1", [from * 2]);
  const known = readAuditKeys(files.keyFile)![0];
  const key = { id: keyId ?? known.id, secret: "x".repeat(40) };
  let previous =
    (await query<{ hash: Buffer }>("SELECT hash FROM audit_seal WHERE id = $1", [from - 1]))[0]?.hash ??
    Buffer.alloc(32);
  for (const { id, ids, time } of await query<{ id: number; ids: number[]; time: Date }>(
    "SELECT id, row_ids AS ids, time FROM audit_seal WHERE id >= $1 ORDER BY id",
    [from],
  )) {
    const rowHashes = await Promise.all(ids.map(hashIs));
    const hash = hashOfSeal({ id, time: time.getTime(), rowHashes, previous });
    await forge(
      `UPDATE audit_seal SET row_hashes = $2, previous = $3, hash = $4, mac = $5, key_id = $6 WHERE id = $1`,
      [...[id, Buffer.concat(rowHashes), previous, hash, macOf(key, hash), key.id]],
    );
    previous = hash;
  }
}

test("a whole rewrite is found by the key alone, and by the anchors alone; by neither nothing is vouched for", async () => {
  await fill();
  expect(await verify({ keyed: false })).toMatchObject({ fault: null, anchors: 4, unvouched: null });
  expect(await verify({ anchored: false })).toMatchObject({ fault: null, unvouched: null });
  await rewrite(2);
  expect((await verify({ anchored: false })).fault).toMatch(/^Seal 2 .* our key/);
  expect((await verify({ keyed: false })).fault).toMatch(/^Seal 2 isn't the one that was anchored/);
  await rewrite(2, "another");
  const found = await verify({ anchored: false });
  expect(found).toMatchObject({ fault: null, unvouched: { seal: 2, keyId: "another" } });
  expect(verdictOn(found, "audit.key")).toMatchObject({ isGood: false });
  expect((await verify()).fault).toMatch(/^Seal 2 isn't the one that was anchored/);
  // And nothing more is sealed on top of it.
  await add();
  await expect(seal()).rejects.toThrow(/seal 4 of .* is another one/);
});

test("a new key seals on, and keys of before vouch for what they sealed", async () => {
  await fill();
  const before = readFileSync(files.keyFile, "utf8");
  writeFileSync(files.keyFile, `${"n".repeat(40)}\n${before}`);
  await add();
  await seal();
  expect(await verify({ anchored: false })).toMatchObject({ fault: null, seals: 5, unvouched: null });
  writeFileSync(files.keyFile, `${"n".repeat(40)}\n`);
  expect((await verify({ anchored: false })).unvouched).toMatchObject({ seal: 1 });
  expect(await verify()).toMatchObject({ fault: null, unvouched: null });
  writeFileSync(files.keyFile, "short\n");
  await add();
  await expect(seal()).rejects.toThrow("32 characters");
  await expect(seal({ ...files, keyFile: path.join(folder, "none"), makesKey: false })).rejects.toThrow("isn't there");
});

test("what is of people stands apart, and erasing it leaves the record as it was sealed", async () => {
  await addDeed(db.pool, ADA, {
    ...{ verb: "updateUser", target: "2", outcome: "done", address: "10.0.0.7" },
    detail: {
      before: { email: new Personal("bob@example.com", 2) },
      after: { email: new Personal(null, 2), list: ["a"] },
    },
  });
  await addDeed(
    db.pool,
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
  await addDeed(db.pool, { ...ADA, accountId: 2, name: "Bob" } as Caller, {
    ...{ verb: "signOut", target: null, outcome: "done", address: "10.0.0.9", detail: null },
  });
  await seal();
  const sealed = JSON.stringify(await query("SELECT audit_row::text FROM audit_row"));
  for (const value of ["Ada", "Bob", "bob@example.com", "10.0.0"]) expect(sealed).not.toContain(value);
  expect(await withTransaction(db.pool, (tx) => eraseValues(tx, 2, null))).toBe(4);
  expect(await verify()).toMatchObject({ fault: null, erased: 4 });
  expect(
    (await query<{ value: string }>("SELECT value FROM audit_value ORDER BY 1")).map(({ value }) => value),
  ).toEqual([...["10.0.0.7", "10.0.0.8", "Ada"]]);
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

test("the root is the one of RFC 6962", () => {
  const leaf = (n: number) => Buffer.alloc(32, n);
  expect(merkleRoot([leaf(1)])).toEqual(leaf(1));
  const two = (a: number, b: number) => merkleRoot([leaf(a), leaf(b)]);
  expect(merkleRoot([1, 2, 3].map(leaf))).toEqual(merkleRoot([two(1, 2), leaf(3)]));
  expect(merkleRoot([1, 2, 3, 4, 5].map(leaf))).toEqual(merkleRoot([merkleRoot([two(1, 2), two(3, 4)]), leaf(5)]));
  expect(two(1, 2)).not.toEqual(two(2, 1));
});
