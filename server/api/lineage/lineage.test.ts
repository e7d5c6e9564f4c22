import { expect, test } from "vitest";
import { lineageAnswer } from "@/server/contracts/lineage";
import { datasetsOf, JOBS_WITH_DATA } from "@/server/domain/lineage";
import { createApiRig, read } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";

const rig = createApiRig({ DATA_OWNER: "Plant data" });
const lineage = () => read(lineageAnswer, rig.get("getLineage"));

test("what data there is is told with what really went each way", async () => {
  await rig.sendFleet();
  await rig.owner.query("UPDATE metric SET owner = 'Climate team' WHERE name = 'temperature'");
  await until(async () => {
    const { nodes } = await lineage();
    return nodes.find(({ id }) => id === "readings")?.newest !== null;
  });
  const { nodes, edges } = await lineage();
  const node = (id: string) => nodes.find((one) => one.id === id)!;
  const edge = (from: string, to: string) => edges.find((one) => one.from === from && one.to === to)!;
  expect(nodes.map(({ id }) => id)).toEqual([
    ...["source:fieldwatch", "log", "messages", "latest", "readings", "texts", "deadLetters"],
    ...["minutes", "hours", "quarters", "downloads"],
  ]);
  const { rows } = await rig.owner.query<{ messages: number; readings: number; letters: number }>(
    `SELECT sum(messages)::integer AS messages, sum(readings)::integer AS readings, sum(dead_letters)::integer AS letters FROM pipeline_position`,
  );
  const { messages, readings, letters } = rows[0]!;
  expect([messages > 0, readings > messages]).toEqual([true, true]);
  expect(edge("log", "messages")).toMatchObject({ count: messages, of: "messages", by: "worker" });
  expect(edge("log", "readings")).toMatchObject({ count: readings, of: "readings" });
  expect(edge("log", "deadLetters").count).toBe(letters);
  expect(edge("readings", "minutes")).toMatchObject({ job: "readings-merge" });
  expect(node("latest").rows).toMatchObject({ count: 4, of: "devices", isAbout: false });
  expect(node("log").rows?.count).toBe(messages);
  expect(node("readings")).toMatchObject({ owner: "Plant data", where: "PostgreSQL, sample" });
  expect([node("readings").metricOwners, node("log").metricOwners]).toEqual([["Climate team"], []]);
  expect(node("readings").bytes).toBeGreaterThan(0);
  expect(new Set(edges.flatMap(({ from, to }) => [from, to]))).toEqual(new Set(nodes.map(({ id }) => id)));
});

test("an hour under way that was merged is no rollup", async () => {
  await until(async () => (await rig.owner.query("SELECT FROM job WHERE name = 'readings-merge'")).rowCount === 1);
  await rig.owner.query("DELETE FROM rollup_minute");
  await rig.owner.query("DELETE FROM rollup_hour");
  await rig.owner.query(
    "INSERT INTO job_run (id, job, lane, state, done, trigger, started_at, finished_at) VALUES ('merged', 'readings-merge', 'merged', 'done', 50, 'schedule', now(), now())",
  );
  const told = async () => {
    const { nodes, edges } = await read(
      lineageAnswer,
      rig.compose().handle("getLineage", new Request("http://here/api"), {}),
    );
    return ["minutes", "hours"].map((id) => ({
      newest: nodes.find((one) => one.id === id)!.newest,
      ...edges.find(({ from, to }) => from === "readings" && to === id)!,
    }));
  };
  for (const one of await told()) expect(one).toMatchObject({ count: 0, lastAt: null, newest: null });
});

test("every job that is said to read or write data is one that there is", async () => {
  await until(async () => (await rig.owner.query("SELECT FROM job WHERE known")).rowCount! > 0);
  const { rows } = await rig.owner.query<{ name: string }>("SELECT name FROM job WHERE known");
  const known = new Set(rows.map(({ name }) => name));
  // There is no cold storage here, and so not its job.
  expect(datasetsOf("readings-merge")).toEqual({ inputs: ["readings"], outputs: ["minutes", "hours"] });
  expect(JOBS_WITH_DATA.filter((job) => !known.has(job))).toEqual(["cold-readings"]);
});
