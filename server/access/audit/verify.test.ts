import { expect, test } from "vitest";
import { ADA, createAuditRig } from "@/server/testing/audit-rig";
import { addDeed } from "./deeds";
import { hashOfRow, hashOfSeal, macOf, merkleRoot, SEALED_COLUMNS, type SealedRow } from "./canonical";
import { readAuditKeys } from "./keys";
import { verdictOn } from "./verify";

const rig = createAuditRig();
const { query, seal, forge, add, verify, fill } = rig;

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
  [
    "a personal value that was taken out",
    () => query(`DELETE FROM audit_value WHERE row_id = 6 AND path = 'address'`),
    /^Row 6 .* "address" is gone, and no removal/,
  ],
  ["all personal values taken out", () => query("DELETE FROM audit_value"), /^Row 1 .* "a\w+" is gone, and no removal/],
  [
    "values taken out beside a removal of somebody else",
    async () => {
      await addDeed(rig.pool, ADA, {
        ...{ verb: "deleteUser", target: "2", outcome: "done", address: null },
        detail: { erased: { values: 1, from: { 5: ["actor"] } } },
      });
      await seal();
      await query("DELETE FROM audit_value WHERE row_id IN (5, 6) AND path = 'actor'");
    },
    /^Row 6 .* "actor" is gone/,
  ],
  [
    "values taken out by a removal that was not allowed",
    async () => {
      await addDeed(rig.pool, ADA, {
        ...{ verb: "deleteUser", target: "1", outcome: "denied", address: null, detail: null },
      });
      await query("DELETE FROM audit_value WHERE row_id = 6");
    },
    /^Row 6 .* is gone/,
  ],
  [
    "values taken out by a removal that was put there",
    async () => {
      await forge(
        `INSERT INTO audit_row (actor_kind, actor, verb, target, outcome) VALUES ('user', 'x', 'deleteUser', '1', 'done')`,
      );
      await query("DELETE FROM audit_value WHERE row_id = 6");
    },
    /^Row 9 .* was put there/,
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
  expect(verdictOn(found, rig.files.keyFile).isGood).toBe(false);
});

async function hashIs(id: number): Promise<Buffer> {
  const [row] = await query<SealedRow>(`SELECT ${SEALED_COLUMNS} FROM audit_row r WHERE id = $1`, [id]);
  return hashOfRow(row!);
}

/** Changes a row and writes the record anew from a seal on, as whoever has the database alone can: with another key. */
async function rewrite(from: number, keyId?: string): Promise<void> {
  await forge("UPDATE audit_row SET verb = 'x' WHERE id = $1", [from * 2]);
  const known = readAuditKeys(rig.files.keyFile)![0];
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

test("the root is the one of RFC 6962", () => {
  const leaf = (n: number) => Buffer.alloc(32, n);
  expect(merkleRoot([leaf(1)])).toEqual(leaf(1));
  const two = (a: number, b: number) => merkleRoot([leaf(a), leaf(b)]);
  expect(merkleRoot([1, 2, 3].map(leaf))).toEqual(merkleRoot([two(1, 2), leaf(3)]));
  expect(merkleRoot([1, 2, 3, 4, 5].map(leaf))).toEqual(merkleRoot([merkleRoot([two(1, 2), two(3, 4)]), leaf(5)]));
  expect(two(1, 2)).not.toEqual(two(2, 1));
});
