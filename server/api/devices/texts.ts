import type { Pool } from "pg";
import { findDevice } from "@/server/catalog/devices";
import { textsQuery } from "@/server/contracts/devices";
import type { PrismaClient } from "@/server/postgres/prisma";
import { exportTextRuns } from "@/server/readings/text-history";
import { csvLines } from "../csv";
import { toInstant } from "../instant";
import { fileAnswer, verb } from "../verb";
import { within } from "../within";
import { deviceParams, noDevice } from "./id";

interface Deps {
  readonly pool: Pool;
  readonly prisma: PrismaClient;
}

/** Lines written at a time. */
const CHUNK = 1000;

export const exportTexts = verb(
  {
    method: "GET",
    path: "/api/v1/devices/{id}/texts.csv",
    access: "view-messages",
    bySite: true,
    audited: "seen",
    summary: "What a device said in words, as a CSV file",
    description:
      "One row for each time that a field said something else: `field`, `from` and `to`, the event times of the first and the last message that said so, `value`, and `kept`, " +
      "which is false where it changed too often for its words to be kept. Field by field in order of time; a row may begin before the stretch, and end after it. " +
      "A text that a spreadsheet would run as a formula begins with an apostrophe. An answer that breaks off was not complete.",
    params: deviceParams,
    query: textsQuery,
    answer: fileAnswer,
    status: 200,
    problems: ["not-found"],
    file: { contentType: "text/csv; charset=utf-8; header=present", schema: { type: "string" } },
  },
  ({ pool, prisma }: Deps) =>
    async (ctx, { params: { id }, query: { field, from, to } }) => {
      const device = await within(
        ctx,
        (where) => findDevice(prisma, id, where),
        () => noDevice(id),
        () => id,
      );
      const asked = { fields: field, from: momentOf(from), to: momentOf(to) };
      return { name: `${id.replaceAll(":", "_")}-texts.csv`, text: linesOf(exportTextRuns(pool, device.key, asked)) };
    },
);

function momentOf(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Date.parse(time);
}

async function* linesOf(runs: ReturnType<typeof exportTextRuns>): AsyncGenerator<string> {
  yield csvLines([["field", "from", "to", "value", "kept"]]);
  let lines: (string | boolean | null)[][] = [];
  for await (const { field, from, to, value } of runs) {
    lines.push([field, toInstant(from), toInstant(to), value, value !== null]);
    if (lines.length < CHUNK) continue;
    yield csvLines(lines);
    lines = [];
  }
  if (lines.length > 0) yield csvLines(lines);
}
