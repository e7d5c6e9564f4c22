import { findProperties } from "@/server/catalog/device-properties";
import { findDevice } from "@/server/catalog/devices";
import { removeDevice } from "@/server/catalog/removals";
import { job } from "@/server/contracts/jobs";
import type { DeviceTwins } from "@/server/ports/device-twins";
import { prismaIn } from "@/server/postgres/prisma";
import { startRemoval } from "../jobs/removals";
import { NO_PARAMETERS, writingVerb } from "../verb";
import { within } from "../within";
import { deviceParams, noDevice } from "./id";

export const deleteDevice = writingVerb(
  {
    method: "DELETE",
    path: "/api/v1/devices/{id}",
    access: "administer",
    bySite: true,
    stepUp: true,
    summary: "Deletes a device with its readings, rollups, latest values and what people wrote about it",
    description:
      "It is gone at once; the job in the answer removes its readings, and goes on after a restart. Its messages in the archive and its dead letters stay until their " +
      "retention ends. Totals tell what was handled, and stay too. A message of the device that is handled later, be it one that waits in the log now, makes a new device of it.",
    params: deviceParams,
    query: NO_PARAMETERS,
    answer: job,
    status: 202,
    problems: ["not-found"],
  },
  ({ twins }: { readonly twins: Pick<DeviceTwins, "forget"> }) =>
    async (ctx, { params: { id }, note }) => {
      const { messages } = await within(
        ctx,
        (sites) => findDevice(prismaIn(ctx.tx), id, sites),
        () => noDevice(id),
        () => id,
      );
      const before = await findProperties(prismaIn(ctx.tx), id, ctx.sites);
      if (!(await removeDevice(ctx.tx, id, ctx.sites, () => twins.forget([id], null)))) throw noDevice(id);
      const { site = null, type = null, notes = null } = before ?? {};
      note({ detail: { before: { site, type, notes, messages }, after: null } });
      return startRemoval(ctx);
    },
);
