import type { PoolClient } from "pg";
import { z } from "zod";
import {
  deletedNumber,
  maintenanceAnswer,
  maintenanceChanges,
  maintenanceView,
  newMaintenanceBody,
  numberedPath,
} from "@/server/contracts/notifications";
import { readNamesNow } from "@/server/catalog/other-names";
import { wordsOfMatchers } from "@/server/domain/notifications/matcher";
import type { EpochMs } from "@/server/domain/terms";
import {
  deleteMaintenance,
  findMaintenance,
  insertMaintenance,
  listMaintenances,
  type Maintenance,
  type MaintenanceSaid,
  updateMaintenance,
} from "@/server/notifications/maintenances";
import { nextWindows, openWindow, recurrenceProblem, windowsBetween } from "@/server/notifications/windows";
import { toInstant } from "../instant";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { invalid } from "../parse";
import { matchersNow } from "../sites/names-now";
import { NO_PARAMETERS, verb, writingVerb } from "../verb";
import { defined, isTaken, missing, mustBeAt, taken } from "./shared";

const { $schema: _, ...NEW_SCHEMA } = z.toJSONSchema(newMaintenanceBody, { io: "input" });
const { $schema: __, ...CHANGES_SCHEMA } = z.toJSONSchema(maintenanceChanges, { io: "input" });

const FORTNIGHT_MS = 14 * 86_400_000;

export const listMaintenance = verb(
  {
    method: "GET",
    path: "/api/v1/maintenance",
    access: "view",
    summary: "Windows that come again, in which alerts aren't told",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: maintenanceAnswer,
    status: 200,
    problems: [],
  },
  () =>
    async ({ tx, now }) => ({ items: (await listMaintenances(tx)).map((row) => told(row, now)) }),
);

export const addMaintenance = writingVerb(
  {
    method: "POST",
    path: "/api/v1/maintenance",
    access: "edit",
    summary: "Adds a window that comes again",
    description:
      "What was told before and still fires isn't told again after it; what ended in it is told to have ended.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: maintenanceView,
    status: 200,
    problems: ["taken", ...BODY_PROBLEMS],
    bodies: { "application/json": NEW_SCHEMA },
  },
  () =>
    async ({ tx, now }, { request, note }) => {
      const said = await checked(tx, await parseJsonBody(newMaintenanceBody, request));
      const id = await insertMaintenance(tx, said);
      if (id === null) throw taken("maintenance", said.name);
      note({ target: said.name, detail: { after: said } });
      return told((await findMaintenance(tx, id))!, now);
    },
);

export const updateMaintenanceVerb = writingVerb(
  {
    method: "PATCH",
    path: "/api/v1/maintenance/{id}",
    access: "edit",
    summary: "Changes a window that comes again; what is left out stays",
    params: numberedPath,
    query: NO_PARAMETERS,
    answer: maintenanceView,
    status: 200,
    problems: ["not-found", "taken", "changed-meanwhile", ...BODY_PROBLEMS],
    bodies: { "application/json": CHANGES_SCHEMA },
  },
  () =>
    async ({ tx, now }, { params: { id }, request, note }) => {
      const { revision, ...changes } = await parseJsonBody(maintenanceChanges, request);
      const before = await maintenanceAt(tx, id);
      mustBeAt(before, revision);
      const said = await checked(tx, { ...before, ...defined(changes) });
      if (await isTaken(tx, "maintenance", said.name, id)) throw taken("maintenance", said.name);
      await updateMaintenance(tx, id, said);
      const after = (await findMaintenance(tx, id))!;
      note({ target: before.name, detail: { before, after } });
      return told(after, now);
    },
);

export const deleteMaintenanceVerb = writingVerb(
  {
    method: "DELETE",
    path: "/api/v1/maintenance/{id}",
    access: "edit",
    summary: "Removes a window that comes again",
    params: numberedPath,
    query: NO_PARAMETERS,
    answer: deletedNumber,
    status: 200,
    problems: ["not-found"],
  },
  () =>
    async ({ tx }, { params: { id }, note }) => {
      const before = await maintenanceAt(tx, id);
      await deleteMaintenance(tx, id);
      note({ target: before.name, detail: { before } });
      return { id };
    },
);

async function maintenanceAt(tx: PoolClient, id: number): Promise<Maintenance> {
  const row = await findMaintenance(tx, id, true);
  if (row === null) throw missing("maintenance", id);
  return row;
}

/** @throws ProblemError when no window ever comes of it. */
async function checked<T extends MaintenanceSaid>(tx: PoolClient, said: T): Promise<T> {
  const problem = recurrenceProblem(said);
  if (problem !== null) throw invalid([{ at: "cron", message: problem }]);
  return { ...said, matchers: matchersNow(said.matchers, await readNamesNow(tx)) };
}

function told(row: Maintenance, now: EpochMs): z.input<typeof maintenanceView> {
  const { matchers, ...rest } = row;
  const window = ({ from, to }: { readonly from: EpochMs; readonly to: EpochMs }) => ({
    from: toInstant(from),
    to: toInstant(to),
  });
  const open = row.enabled ? openWindow(row, now) : null;
  return {
    ...rest,
    matchers: [...matchers],
    words: wordsOfMatchers(matchers),
    now: open && window(open),
    next: row.enabled ? nextWindows(row, now, 3).map(window) : [],
    fortnight: row.enabled ? windowsBetween(row, now, now + FORTNIGHT_MS, 400).map(window) : [],
  };
}
