import { expect, test } from "vitest";
import { sourcesAnswer } from "@/server/contracts/sources";
import { telemetryAnswer } from "@/server/contracts/telemetry";
import { OWN_SOURCE } from "@/server/domain/source";
import { LogUnavailableError } from "@/server/ports/event-log";
import { readRhythms } from "@/server/sources/counts";
import { createApiRig, message, NDJSON, read, refused } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";

const rig = createApiRig();

test("the route's own source tells what came, what was taken and refused, and what the worker made of it", async () => {
  const away = rig.compose({ append: () => Promise.reject(new LogUnavailableError("away")) });
  const small = rig.compose({ ingest: { INGEST_MAX_MESSAGES: 3 } });
  const mixed = `${JSON.stringify(message("q", 1))}\nnot json\n`;
  // What was not taken comes again, and counts then.
  await refused(rig.post(mixed, { headers: NDJSON, to: away }));
  await read(telemetryAnswer, rig.post(mixed, { headers: NDJSON }));
  await refused(rig.post("[1,2]"));
  await refused(rig.post("[1,2,3,4]", { to: small }));
  const counts = await until(async () => {
    const { items } = await read(sourcesAnswer, rig.get("listSources"));
    const own = items.find(({ name }) => name === OWN_SOURCE)!.counts;
    return own.received === 3 && own.messages === 1 && own.skew !== null && own;
  });
  expect(counts).toMatchObject({
    accepted: 1,
    bytes: mixed.length + "[1,2]".length + "[1,2,3,4]".length,
    refused: { notJson: 3, "too-many-messages": 1 },
    ...{ readings: 2, duplicates: 0, conflicts: 0, deadLetters: 0 },
    skew: { p50Ms: expect.any(Number) as number },
  });
  // The same, as health asks for it.
  expect(await readRhythms(rig.engines.pool)).toEqual([
    {
      ...{ source: OWN_SOURCE, received: 3, accepted: 1, refused: 4, longestPauseMs: null },
      ...{ firstSeen: expect.any(Number) as number, lastSeen: expect.any(Number) as number },
      updatedAt: expect.any(Number) as number,
      lastError: expect.objectContaining({ at: expect.any(Number) as number }) as object,
    },
  ]);
});
