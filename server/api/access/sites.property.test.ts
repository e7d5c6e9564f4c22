import fc from "fast-check";
import { expect, test } from "vitest";
import type { Caller } from "@/server/domain/access";
import { createApiRig } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";
import type { Api } from "../runtime";
import type { VerbName } from "../verbs";

/** A world where the sites A and B and devices without a site are, and one where only A is. */
const both = createWorld();
const alone = createWorld();

/** A fleet's messages: of a device at a site, at a second, with some readings. */
const fleet = fc.array(
  fc.record({
    site: fc.constantFrom("A", "A", "B", "B", null),
    number: fc.nat(3),
    second: fc.nat(300),
    metrics: fc.subarray(["m1", "m2", "m3"], { minLength: 1 }),
    isBad: fc.boolean(),
  }),
  { minLength: 8, maxLength: 30, size: "max" },
);
type Message = {
  readonly site: "A" | "B" | null;
  readonly number: number;
  readonly second: number;
  readonly metrics: readonly string[];
  readonly isBad: boolean;
};

const START = Math.floor(Date.now() / 60_000) * 60_000 - 900_000;
let run = 0;

test("whoever sees one site is answered as if there were no other, whoever else asks in between", async () => {
  await fc.assert(
    fc.asyncProperty(fleet, fc.infiniteStream(fc.nat(2)), async (messages: readonly Message[], order) => {
      const name = `r${++run}`;
      const hidden = [`${name}-B`, `${name}-none`];
      const sent = messages.map((message) => ({ at: message.site, message: toMessage(name, message) }));
      const places = await both.fill(name, sent);
      const placesAlone = await alone.fill(
        name,
        sent.filter(({ at }) => at === "A"),
      );
      for (const { verb, params, query } of questions(name, messages)) {
        const others = [viewer(places.B), viewer(null)];
        const [answer, expected] = await inOneMinute(async () => {
          let answer = "";
          // All three in some order, and A once more, when what is kept for the others may be there.
          const first = order.next().value!;
          for (const who of [0, 1, 2, 2].map((one, i) => (i < 3 ? (one + first) % 3 : one))) {
            const told = await both.ask(who === 2 ? viewer(places.A) : others[who]!, verb, params, query);
            if (who === 2) answer = told;
            if (who === 0 && params.id === undefined && !query.includes(`${name}-A`))
              expect([verb, query, told.includes(`${name}-A`)]).toEqual([verb, query, false]);
          }
          return [answer, await alone.ask(viewer(placesAlone.A), verb, params, query)] as const;
        });
        expect([verb, params, query, answer]).toEqual([verb, params, query, expected]);
        if (params.id === undefined && !hidden.some((part) => query.includes(part)))
          for (const part of hidden) expect([verb, query, answer.includes(part)]).toEqual([verb, query, false]);
      }
    }),
    { numRuns: 4, endOnFailure: true },
  );
}, 240_000);

/** Asks again when a minute has begun in between: answers go by what minute it is. */
async function inOneMinute<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    const minute = Math.floor(Date.now() / 60_000);
    const answer = await ask();
    if (Math.floor(Date.now() / 60_000) === minute) return answer;
  }
}

function toMessage(run: string, { site, number, second, metrics, isBad }: Message) {
  const names = [...metrics, ...(site === "B" ? [`${run}-only-b`] : [])];
  const readings = Object.fromEntries(names.map((metric) => [metric, ((second * 7 + number) % 97) / 4]));
  return {
    device: `${run}-${site ?? "none"}-${number}`,
    ...(site && { site: `${run}-${site}`, type: `${run}-${site} press` }),
    labels: { place: `${run}-${site ?? "none"}`, number: `n${number}` },
    time: new Date(START + second * 1000).toISOString(),
    readings: { ...readings, ...(isBad && { "bad name": 1 }) },
  };
}

/** Everything that can be asked about a fleet by who may only look. */
function questions(run: string, messages: readonly Message[]) {
  const devices = [...new Set(messages.map(({ site, number }) => `${run}-${site ?? "none"}-${number}`))].sort();
  const ask = (verb: VerbName, query = "", params: Record<string, string> = {}) => ({ verb, query, params });
  const filters = [
    ...["", `search=${run}`, `search=press`, `site=${run}-A`, `site=${run}-B`, `state=silent`, `state=live`],
    ...[`search=place:${run}`, `label=place:${run}-A`, `label=place:${run}-B`, `label=number:n1&label=place`],
  ];
  const range = `from=${new Date(START).toISOString()}&to=${new Date(START + 400_000).toISOString()}`;
  return [
    ...filters.flatMap((filter) => [ask("listDevices", filter), ask("getFleetSummary", filter)]),
    ...["id", "-id", "messages", "-messages", "-lastSeen", "state"].flatMap((sort) => [
      ask("getFleetOrder", `sort=${sort}&rows=50`),
      ask("listDevices", `sort=${sort}&limit=2`),
      ask("exportDevices", `sort=${sort}`),
    ]),
    ask("listDevices", `ids=${devices.join(",")}`),
    ...["m1", `${run}-only-b`].map((metric) =>
      ask("listSparklines", `metric=${metric}&minutes=30&ids=${devices.join(",")}`),
    ),
    ...["m1", `${run}-only-b`].flatMap((metric) => [
      ask("getExplore", `metric=${metric}&${range}`),
      ask("getExplore", `metric=${metric}&by=site&previous=range&${range}`),
      ask("getExplore", `metric=${metric}&by=type&devices=${devices.join(",")}&${range}`),
      ask("exportExplore", `metric=${metric}&${range}`),
    ]),
    ask("listMetrics"),
    ask("listMetricUse"),
    ask("listDeadLetters"),
    ask("listDeadLetterGroups"),
    ask("listDeadLetterJobs"),
    ask("listTestMessages"),
    ...devices.flatMap((id) => [
      ask("getDevice", "", { id }),
      ask("listReadings", `metric=m1&${range}`, { id }),
      ask("listStrips", range, { id }),
      ask("downloadCsv", `metric=m1&${range}`, { id }),
      ask("downloadJson", `metric=m1&resolution=minute&${range}`, { id }),
      ask("listMessages", "", { id }),
      ask("listDeadLetters", `device=${id}`),
      ask("listDeadLetterGroups", `device=${id}`),
    ]),
  ];
}

/** Someone who may look at everything that is at a site, or everywhere. */
function viewer(siteId: number | null): Caller {
  return {
    ...{ kind: "user", accountId: 1, name: "Ada", sessionId: "00000000-0000-4000-8000-000000000000", provenAt: 0 },
    grants: [{ role: "operator", siteId }],
  };
}

function createWorld() {
  const rig = createApiRig();
  let api: Api | undefined;
  let asking = viewer(null);
  let handled = 0;

  return {
    /** Sends messages and waits until they are stored. @returns the numbers of the sites. */
    async fill(run: string, sent: readonly { readonly message: { readonly device: string } }[]) {
      const { pool } = rig.engines;
      await pool.query(`INSERT INTO site (name) VALUES ($1), ($2) ON CONFLICT DO NOTHING`, [`${run}-A`, `${run}-B`]);
      // In the same order, which among equals is that of lists.
      const names = [...new Set(sent.map(({ message }) => message.device))].sort();
      await pool.query(
        `INSERT INTO device (name, site_id)
         SELECT n, (SELECT id FROM site WHERE name = regexp_replace(n, '-[0-9]+$', '')) FROM unnest($1::text[]) WITH ORDINALITY AS d (n, i) ORDER BY i`,
        [names],
      );
      if (sent.length > 0) {
        const answer = await rig.post(JSON.stringify(sent.map(({ message }) => message)));
        expect(answer.status).toBe(202);
      }
      handled += sent.length;
      await until(
        async () => {
          const { rows } = await pool.query<{ n: number }>(`SELECT sum(messages)::float8 AS n FROM pipeline_position`);
          return (rows[0]?.n ?? 0) >= handled;
        },
        { what: "messages", timeoutMs: 20_000 },
      );
      // The clocks of both worlds say the same of a device.
      await pool.query(
        `UPDATE device SET first_seen = to_timestamp($2), updated_at = to_timestamp($2),
           last_seen = to_timestamp($2 + CASE WHEN name LIKE '%-1' THEN 0 ELSE 86000 + length(name) END) WHERE name LIKE $1`,
        [`${run}-%`, Math.floor(START / 1000) - 86_000],
      );
      const { rows } = await pool.query<{ id: number; name: string }>(`SELECT id, name FROM site WHERE name LIKE $1`, [
        `${run}-%`,
      ]);
      const idOf = (name: string) => rows.find((site) => site.name === `${run}-${name}`)!.id;
      return { A: idOf("A"), B: idOf("B") };
    },

    /** The answer as text, without what tells worlds apart: places in the log, and when things were taken from it. */
    async ask(caller: Caller, verb: VerbName, params: Record<string, string>, query: string): Promise<string> {
      api ??= rig.compose({ callerOf: async () => asking });
      asking = caller;
      const answer = await api.handle(verb, new Request(`http://here/api?${query}`), params);
      const text = await answer.text();
      if (!answer.headers.get("content-type")?.includes("json")) return `${answer.status} ${text}`;
      const body = JSON.parse(JSON.stringify(JSON.parse(text), plain)) as { items?: object[] };
      // Letters that were taken at the same moment are in the log's order.
      if (verb.startsWith("listDeadLetter"))
        body.items?.sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
      return `${answer.status} ${JSON.stringify(body)}`;
    },
  };
}

const OF_THIS_WORLD = new Set([
  ...["log", "partition", "offset", "ingestTime", "processedTime", "firstSeen", "time"],
  ...["resendOf", "history"],
]);

function plain(this: Record<string, unknown>, key: string, value: unknown): unknown {
  if (key === "next") return value === null ? null : "…";
  if (key === "lastSeen" && "trend" in this) return undefined;
  if (key === "id" && "reason" in this) return undefined;
  // The time of a reading is the device's.
  if (key === "time" && ("value" in this || "mean" in this)) return value;
  return OF_THIS_WORLD.has(key) ? undefined : value;
}
