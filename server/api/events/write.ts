import { z } from "zod";
import { newDeployment, newNote, noteChanges, notePath, writtenAnswer } from "@/server/contracts/events";
import { signatureOf, sitesOf } from "@/server/domain/access";
import { addWritten, changeNote, findNote, removeNote, type Written } from "@/server/events/notes";
import type { WritingContext } from "@/server/postgres/context";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { invalid } from "../parse";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, writingVerb } from "../verb";
import { EVERYWHERE, NotHereError, within } from "../within";

const { $schema: _, ...NOTE_SCHEMA } = z.toJSONSchema(newNote, { io: "input" });
const { $schema: __, ...CHANGES_SCHEMA } = z.toJSONSchema(noteChanges, { io: "input" });
const { $schema: ___, ...DEPLOYMENT_SCHEMA } = z.toJSONSchema(newDeployment, { io: "input" });

export const addNote = writingVerb(
  {
    method: "POST",
    path: "/api/v1/notes",
    access: "operate",
    bySite: true,
    summary: "Writes down what happened, for a time, at a device or a site or everywhere",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: writtenAnswer,
    status: 200,
    problems: [...BODY_PROBLEMS],
    bodies: { "application/json": NOTE_SCHEMA },
  },
  () =>
    async (ctx, { request, note }) => {
      const { text, site, device, ...times } = await parseJsonBody(newNote, request);
      const from = times.from === undefined ? ctx.now : Date.parse(times.from);
      const to = times.to === undefined ? from : Date.parse(times.to);
      inOrder(from, to);
      const data = { text, by: signatureOf(ctx.caller).text };
      const id = await write(ctx, { kind: "note", from, to, site, device, data });
      note({ target: id, detail: { after: { text, site, device } } });
      return { id };
    },
);

export const updateNote = writingVerb(
  {
    method: "PATCH",
    path: "/api/v1/notes/{id}",
    access: "operate",
    bySite: true,
    summary: "Changes a note",
    params: notePath,
    query: NO_PARAMETERS,
    answer: writtenAnswer,
    status: 200,
    problems: ["not-found", ...BODY_PROBLEMS],
    bodies: { "application/json": CHANGES_SCHEMA },
  },
  () =>
    async (ctx, { params: { id }, request, note }) => {
      const { text, from, to } = await parseJsonBody(noteChanges, request);
      const before = await find(ctx, id);
      const after = {
        text: text ?? before.text,
        from: from === undefined ? before.from : Date.parse(from),
        to: to === undefined ? before.to : Date.parse(to),
      };
      inOrder(after.from, after.to);
      await changeNote(ctx.tx, id, after);
      note({ target: id, detail: { before, after } });
      return { id };
    },
);

export const deleteNote = writingVerb(
  {
    method: "DELETE",
    path: "/api/v1/notes/{id}",
    access: "operate",
    bySite: true,
    summary: "Removes a note",
    params: notePath,
    query: NO_PARAMETERS,
    answer: writtenAnswer,
    status: 200,
    problems: ["not-found"],
  },
  () =>
    async (ctx, { params: { id }, note }) => {
      const before = await find(ctx, id);
      await removeNote(ctx.tx, id);
      note({ target: id, detail: { before } });
      return { id };
    },
);

export const addDeployment = writingVerb(
  {
    method: "POST",
    path: "/api/v1/deployments",
    access: "operate",
    bySite: true,
    summary: "Writes down that something was deployed: a line for CI",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: writtenAnswer,
    status: 200,
    problems: [...BODY_PROBLEMS],
    bodies: { "application/json": DEPLOYMENT_SCHEMA },
  },
  () =>
    async (ctx, { request, note }) => {
      const { what, version, at, site, device } = await parseJsonBody(newDeployment, request);
      const from = at === undefined ? ctx.now : Date.parse(at);
      const data = { what, version, by: signatureOf(ctx.caller).text };
      const id = await write(ctx, { kind: "deployment", from, to: from, site, device, data });
      note({ target: id, detail: { after: { what, version, site, device } } });
      return { id };
    },
);

/** @throws when the caller may not write there, or sees no such device or site */
async function write({ tx, sites, caller }: WritingContext, written: Written): Promise<string> {
  const { site, device } = written;
  const id = await addWritten(tx, written, sites);
  if (id !== null) return id;
  if (site === null && device === null) throw new NotHereError(EVERYWHERE);
  // Where it is seen, but nothing may be written.
  await tx.query("SAVEPOINT seen");
  const seen = sites === "all" ? null : await addWritten(tx, written, sitesOf(caller, "view"));
  await tx.query("ROLLBACK TO SAVEPOINT seen");
  if (seen !== null) throw new NotHereError("there");
  throw invalid([{ at: device === null ? "site" : "device", message: "is not known" }]);
}

async function find(ctx: WritingContext, id: string) {
  return within(
    ctx,
    (sites) => findNote(ctx.tx, id, sites),
    () => new ProblemError("not-found", `There is no note ${id}.`),
  );
}

function inOrder(from: number, to: number): void {
  if (to < from) throw invalid([{ at: "to", message: "must not be before `from`" }]);
}
