import type { Pool } from "pg";
import { z } from "zod";
import { text } from "@/server/contracts/common";
import { devicesAnswer } from "@/server/contracts/devices";
import { devicesQuery } from "@/server/contracts/fleet";
import { findDevices, findSites, placeOf, readDevices } from "@/server/catalog/device-list";
import { findOrder, narrowByValues, type ReadLatest, upTo } from "@/server/catalog/device-values";
import type { DeviceTwins } from "@/server/ports/device-twins";
import { momentPlace, openCursor, sealCursor } from "../cursor";
import { NO_PARAMETERS, verb } from "../verb";
import { readSort } from "./sort";
import { toDeviceView } from "./view";

interface Deps {
  readonly pool: Pool;
  readonly twins: Pick<DeviceTwins, "get">;
  readonly readLatest: ReadLatest;
  readonly staleSeconds: number;
}

const byMoment = z.object({ at: momentPlace.nullable(), key: z.int32() });
const byText = z.object({ at: text(512).nullable(), key: z.int32() });
const byCount = z.object({ at: z.int(), key: z.int32() });
/** The place a cursor holds, for the column it is sorted by. */
const places = {
  ...{ id: byText, site: byText, type: byText, state: z.object({ at: text(128), key: z.int32() }) },
  ...{ lastSeen: byMoment, lastEventTime: byMoment, firstSeen: byMoment, messages: byCount, conflicts: byCount },
} as const;
const valuePlace = z.object({ at: z.number().nullable(), id: text(128) });

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
  ({ pool, twins, readLatest, staleSeconds }: Deps) =>
    async (ctx, { query }) => {
      const sort = readSort(query.sort);
      const order = `devices/${query.sort}`;
      const time = ctx.now;
      const { sites: at } = ctx;
      const wanted = await narrowByValues(readLatest, { ...query, sites: at, now: time, staleSeconds });
      if ("metric" in sort) {
        const after = openCursor(order, valuePlace, query.cursor);
        const [found, sites] = await Promise.all([
          findOrder(pool, readLatest, { ...wanted, ...sort }),
          findSites(pool, at),
        ]);
        const from = after === null ? 0 : upTo(found, after, sort.descending);
        const ids = found.ids.slice(from, from + query.limit);
        const [devices, known] = await Promise.all([
          readDevices(pool, ids, { sites: at, now: time, staleSeconds }),
          twins.get(ids),
        ]);
        const last = ids.at(-1);
        const isMore = last !== undefined && from + ids.length < found.ids.length;
        return {
          items: ids.flatMap((id) => {
            const device = devices.get(id);
            return device ? [toDeviceView(device, known.get(id), time, staleSeconds)] : [];
          }),
          next: isMore ? sealCursor(order, { at: found.values.get(last) ?? null, id: last }) : null,
          total: found.ids.length,
          sites,
        };
      }
      const after = openCursor(order, places[sort.order], query.cursor);
      const [{ devices, total }, sites] = await Promise.all([
        findDevices(pool, { ...wanted, ...sort, after, limit: query.limit + 1 }),
        findSites(pool, at),
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
