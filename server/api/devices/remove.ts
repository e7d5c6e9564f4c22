import { findProperties } from "@/server/catalog/device-properties";
import { findDevice } from "@/server/catalog/devices";
import { removeDevice } from "@/server/catalog/removals";
import { Personal } from "@/server/access/audit/personal";
import { eraseQuery } from "@/server/contracts/removals";
import { job } from "@/server/contracts/jobs";
import type { DeviceTwins } from "@/server/ports/device-twins";
import { prismaIn } from "@/server/postgres/prisma";
import { startRemoval } from "../jobs/removals";
import { writingVerb } from "../verb";
import { within } from "../within";
import { deviceParams, noDevice } from "./id";

export const deleteDevice = writingVerb(
  {
    method: "DELETE",
    path: "/api/v1/devices/{id}",
    access: "administer",
    bySite: true,
    stepUp: true,
    summary:
      "Deletes a device with its readings, rollups, latest values and what people wrote about it; on request all else of it, too",
    description:
      "It is gone at once; the job in the answer removes its readings, and goes on after a restart. Its messages in the archive and its dead letters stay until their " +
      "retention ends. Totals tell what was handled, and stay too. A message of the device that is handled later, be it one that waits in the log now, makes a new device of it. " +
      "With `erase=true` the job takes it out of every store, looks all of them through afterwards, and keeps what it found as a proof (`listErasures`); messages that still come " +
      "under its name are dropped and counted.",
    params: deviceParams,
    query: eraseQuery,
    answer: job,
    status: 202,
    problems: ["not-found"],
  },
  ({ twins }: { readonly twins: Pick<DeviceTwins, "forget" | "get"> }) =>
    async (ctx, { params: { id }, query, note }) => {
      const { messages } = await within(
        ctx,
        (sites) => findDevice(prismaIn(ctx.tx), id, sites),
        () => noDevice(id),
        () => id,
      );
      const before = await findProperties(prismaIn(ctx.tx), id, ctx.sites);
      const erases = query.erase === "true";
      const forgetTwin = async () => {
        const { size } = await twins.get([id]);
        await twins.forget([id], null);
        return size;
      };
      const removed = await removeDevice(ctx.tx, id, ctx.sites, forgetTwin, erases);
      if (removed === false) throw noDevice(id);
      const { site = null, type = null, notes = null } = before ?? {};
      // The row of an erasure says nothing of what was there.
      if (removed.erasure !== null)
        note({ target: `erasures/${removed.erasure}`, detail: { before: { messages }, after: null } });
      else
        note({
          target: new Personal(id, null),
          detail: { before: { site, type, notes: new Personal(notes, null), messages }, after: null },
        });
      return startRemoval(ctx);
    },
);
