import { z } from "zod";
import { messagesAnswer, messagesQuery } from "@/server/contracts/devices";
import { findDevice } from "@/server/catalog/devices";
import type { PrismaClient } from "@/server/postgres/prisma";
import type { MessageArchive } from "@/server/ports/message-archive";
import { momentPlace, openCursor, sealCursor } from "../cursor";
import { toInstant } from "../instant";
import { verb } from "../verb";
import { within } from "../within";
import { deviceParams, noDevice } from "./id";

interface Deps {
  readonly prisma: PrismaClient;
  readonly archive: Pick<MessageArchive, "find">;
}

const ORDER = "messages";
const place = z.object({ ingestTime: momentPlace, partition: z.int32(), offset: z.int() });

export const listMessages = verb(
  {
    method: "GET",
    path: "/api/v1/devices/{id}/messages",
    access: "view-messages",
    bySite: true,
    audited: "seen",
    summary: "A device's messages exactly as received, newest first",
    params: deviceParams,
    query: messagesQuery,
    answer: messagesAnswer,
    status: 200,
    problems: ["not-found"],
  },
  ({ prisma, archive }: Deps) =>
    async (ctx, { params: { id }, query: { limit, cursor } }) => {
      const after = openCursor(ORDER, place, cursor);
      const device = await within(
        ctx,
        (sites) => findDevice(prisma, id, sites),
        () => noDevice(id),
        () => id,
      );
      const found = await archive.find({ device: device.name, limit: limit + 1, ...(after ? { after } : {}) });
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return {
        items: page.map(({ position, eventTime, ingestTime, processedTime, body }) => ({
          ...position,
          eventTime: toInstant(eventTime),
          ingestTime: toInstant(ingestTime),
          processedTime: toInstant(processedTime),
          body,
        })),
        next:
          found.length > page.length && last
            ? sealCursor(ORDER, {
                ingestTime: last.ingestTime,
                partition: last.position.partition,
                offset: last.position.offset,
              })
            : null,
      };
    },
);
