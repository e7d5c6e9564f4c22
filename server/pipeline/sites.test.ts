import { expect, test } from "vitest";
import { siteHeaders } from "@/server/domain/site-mark";
import { pipelineBench } from "@/server/testing/pipeline-bench";

const bench = pipelineBench({ partitions: 2 });
const T = Date.UTC(2026, 0, 15, 10);

const message = (device: string, more: object = {}, i = 0) => ({ device, time: T + i, readings: { a: i }, ...more });
const by = (site: string) => siteHeaders(site);
const refused = async () => (await bench.letters()).map(({ device, reason }) => [device, reason]);
async function places() {
  const { rows } = await bench.pool.query<{ name: string; site: string | null }>(
    `SELECT d.name, s.name AS site FROM device d LEFT JOIN site s ON s.id = site_id ORDER BY 1`,
  );
  return Object.fromEntries(rows.map(({ name, site }) => [name, site]));
}

test("the site of a sender wins over the one its messages name", async () => {
  const rig = await bench.rig();
  bench.log.append(0, message("new", { site: "south" }), T, by("north"));
  bench.log.append(0, message("free", { site: "south" }), T);
  await rig.drain();
  expect([await places(), await refused()]).toEqual([{ new: "north", free: "south" }, []]);
});

test("of two sites that claim a new device at once the first in the log keeps it; the other's messages are dead letters, whole", async () => {
  const rig = await bench.rig();
  bench.log.append(0, message("press", {}, 1), T, by("north"));
  bench.log.append(0, message("press", { readings: { other: 2 } }, 2), T, by("south"));
  bench.log.append(0, message("press", {}, 3), T, by("north"));
  await rig.drain();
  bench.log.append(0, message("press", {}, 4), T, by("south"));
  await rig.drain();
  expect(await places()).toEqual({ press: "north" });
  expect(await refused()).toEqual([
    ["press", "otherSite"],
    ["press", "otherSite"],
  ]);
  // Nothing that is refused brings a metric into the catalog.
  expect((await bench.readings()).map(({ metric, value }) => [metric, value])).toEqual([
    ["a", 1],
    ["a", 3],
  ]);
  expect(await bench.totals()).toMatchObject({ messages: 4, readings: 2, deadLetters: 2 });
});

test("a device that a person moves is its new site's at once, and nobody's of a site when it is set to none", async () => {
  const rig = await bench.rig();
  bench.log.append(0, message("press", {}, 1), T, by("north"));
  await rig.drain();
  await bench.pool.query(`INSERT INTO site (name) VALUES ('south')`);
  await bench.pool.query(
    `UPDATE device SET site_id = (SELECT id FROM site WHERE name = 'south'), site_by_person = true`,
  );
  bench.log.append(0, message("press", {}, 2), T, by("south"));
  await rig.drain();
  expect(await refused()).toEqual([]);
  bench.log.append(0, message("press", {}, 3), T, by("north"));
  await rig.drain();
  expect(await refused()).toEqual([["press", "otherSite"]]);
  await bench.pool.query(`UPDATE device SET site_id = NULL`);
  bench.log.append(0, message("press", {}, 4), T, by("north"));
  bench.log.append(0, message("press", {}, 5), T);
  await rig.drain();
  expect(await refused()).toHaveLength(2);
  expect(await places()).toEqual({ press: null });
});

test("a header that no sender of ours has is none", async () => {
  const rig = await bench.rig();
  bench.log.append(0, message("odd", { site: "south" }, 1), T, by("a\u0000b"));
  bench.log.append(0, message("long", { site: "south" }, 1), T, by("x".repeat(5000)));
  await rig.drain();
  expect([await places(), await refused()]).toEqual([{ odd: "south", long: "south" }, []]);
});

test("a device without a site is not taken by a sender of one: what it sent before would be told there", async () => {
  const rig = await bench.rig();
  bench.log.append(0, message("ghost", {}, 1), T);
  await rig.drain();
  bench.log.append(0, message("ghost", {}, 2), T, by("north"));
  await rig.drain();
  expect([await places(), await refused()]).toEqual([{ ghost: null }, [["ghost", "otherSite"]]]);
  bench.log.append(0, message("ghost", { site: "south" }, 3), T);
  await rig.drain();
  expect(await places()).toEqual({ ghost: "south" });
});
