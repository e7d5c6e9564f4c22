import { z } from "zod";
import { eraseWord } from "@/server/access/audit/deeds";
import { joinErasures, listErasures } from "@/server/catalog/erasures";
import { findPersonalDevices, findPersonalSites, forgetPerson } from "@/server/catalog/persons";
import { removeDevice } from "@/server/catalog/removals";
import {
  erasuresAnswer,
  MOST_ERASED_AT_ONCE,
  personErasure,
  personErasureBody,
  personErasureQuery,
} from "@/server/contracts/removals";
import { counted } from "@/server/domain/counted";
import { PERSON_LABELS } from "@/server/domain/device-labels";
import type { DeviceTwins } from "@/server/ports/device-twins";
import { countStoredOf } from "@/server/readings/stored";
import { startRemoval } from "../jobs/removals";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { invalid } from "../parse";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, verb, writingVerb } from "../verb";
import { toErasureView } from "./erasures";

/** A person waits for the count before they decide. */
const PATIENCE_MS = 3000;
const { $schema: _, ...BODY_SCHEMA } = z.toJSONSchema(personErasureBody, { io: "input" });

const WHOSE = `A device is a person's by a label ${PERSON_LABELS.join(" or ")}, or by the person of its site, unless a label person names somebody else.`;

export const previewErasure = verb(
  {
    method: "GET",
    path: "/api/v1/erasures/preview",
    access: "administer",
    summary: "What erasing a person would take out: which devices, and how many readings; nothing is changed",
    description: WHOSE,
    params: NO_PARAMETERS,
    query: personErasureQuery,
    answer: personErasure,
    status: 200,
    problems: [],
  },
  () =>
    async ({ tx, sites }, { query: { person } }) => {
      const devices = await findPersonalDevices(tx, person, sites);
      const keys = devices.map(({ key }) => key);
      return {
        devices: devices.map(({ key: _key, ...device }) => device),
        sites: await findPersonalSites(tx, person),
        readings: await countStoredOf(tx, keys, PATIENCE_MS),
      };
    },
);

export const erasePerson = writingVerb(
  {
    method: "POST",
    path: "/api/v1/erasures",
    access: "administer",
    stepUp: true,
    summary: "Erases all devices of a person from every store, in one step",
    description:
      `${WHOSE} \`devices\` are the names that \`previewErasure\` told: if they aren't the person's devices any more, nothing is erased. Each goes as by \`deleteDevice\` with \`erase=true\`; ` +
      "their erasures have one number in common, `request`, by which `listErasures` finds them with their proofs. Sites lose the person's name, and the audit record every value that is it.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: erasuresAnswer,
    status: 202,
    problems: ["not-found", "changed-meanwhile", ...BODY_PROBLEMS],
    bodies: { "application/json": BODY_SCHEMA },
  },
  ({ twins }: { readonly twins: Pick<DeviceTwins, "forget" | "get"> }) =>
    async (ctx, { request, note }) => {
      const { person, devices: agreed } = await parseJsonBody(personErasureBody, request);
      const found = await findPersonalDevices(ctx.tx, person, ctx.sites);
      // Whoever locks several devices does so in the order of their keys.
      const names = found.toSorted((a, b) => a.key - b.key).map(({ name }) => name);
      if (names.length === 0) throw new ProblemError("not-found", "No device is this person's.");
      if (names.length > MOST_ERASED_AT_ONCE)
        throw invalid([
          {
            at: "person",
            message: `has ${counted(names.length, "device")}, and ${MOST_ERASED_AT_ONCE} at most are erased at once: erase some of them by deleteDevice first`,
          },
        ]);
      if (names.toSorted().join("\0") !== [...new Set(agreed)].sort().join("\0"))
        throw new ProblemError(
          "changed-meanwhile",
          "Nothing was erased: the devices are not those that this person has now. Look at them again.",
        );
      const erasures: number[] = [];
      for (const name of names) {
        // They are forgotten all at once, when nothing can go wrong any more.
        const twinOf = async () => (await twins.get([name])).size;
        const removed = await removeDevice(ctx.tx, name, ctx.sites, twinOf, true);
        if (removed === false || removed.erasure === null)
          throw new ProblemError("changed-meanwhile", "Nothing was erased: a device was removed just now. Look again.");
        erasures.push(removed.erasure);
      }
      const id = await joinErasures(ctx.tx, erasures);
      await forgetPerson(ctx.tx, person);
      const erased = await eraseWord(ctx.tx, person);
      await twins.forget(names, null);
      // Neither the person nor a device is named: the record stays.
      note({ target: `erasures?request=${id}`, detail: { after: { request: id, devices: names.length }, erased } });
      await startRemoval(ctx);
      return { items: (await listErasures(ctx.tx, { request: id }, MOST_ERASED_AT_ONCE)).map(toErasureView) };
    },
);
