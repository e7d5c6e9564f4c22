import type { Pool } from "pg";
import { z } from "zod";
import { text } from "@/server/contracts/common";
import { devicesAnswer } from "@/server/contracts/devices";
import { devicesQuery } from "@/server/contracts/fleet";
import { findDevices, findSites, placeOf } from "@/server/catalog/device-list";
import type { DeviceTwins } from "@/server/ports/device-twins";
import { momentPlace, openCursor, sealCursor } from "../cursor";
import { NO_PARAMETERS, verb } from "../verb";
import { readSort } from "./sort";
import { toDeviceView } from "./view";

interface Deps {
  readonly pool: Pool;
  readonly twins: Pick<DeviceTwins, "get">;
  readonly staleSeconds: number;
}

/** The place a cursor holds, for the column it is sorted by. */
const places = {
  id: z.object({ at: text(128), key: z.int32() }),
  lastSeen: z.object({ at: momentPlace.nullable(), key: z.int32() }),
  messages: z.object({ at: z.int(), key: z.int32() }),
  state: z.object({ at: text(128), key: z.int32() }),
} as const;

export const listDevices = verb(
  {
    method: "GET",
    path: "/api/v1/devices",
    access: "view",
    bySite: true,
    summary: "Devices with their latest values, a page at a time",
    params: NO_PARAMETERS,
    query: devicesQuery,
    answer: devicesAnswer,
    status: 200,
    problems: [],
  },
  ({ pool, twins, staleSeconds }: Deps) =>
    async (ctx, { query }) => {
      const sort = readSort(query.sort);
      const order = `devices/${query.sort}`;
      const after = openCursor(order, places[sort.order], query.cursor);
      const time = ctx.now;
      const [{ devices, total }, sites] = await Promise.all([
        findDevices(pool, {
          ...query,
          ...sort,
          sites: ctx.sites,
          after,
          now: time,
          staleSeconds,
          limit: query.limit + 1,
        }),
        findSites(pool, ctx.sites),
      ]);
      const page = devices.slice(0, query.limit);
      const known = await twins.get(page.map((device) => device.name));
      return {
        items: page.map((device) => toDeviceView(device, known.get(device.name), time, staleSeconds)),
        next: devices.length > page.length ? sealCursor(order, placeOf(page.at(-1)!, sort.order)) : null,
        total,
        sites,
      };
    },
);
