import { device } from "@/server/contracts/devices";
import { findDevice } from "@/server/database/devices";
import type { PrismaClient } from "@/server/database/prisma";
import type { DeviceTwins } from "@/server/ports/device-twins";
import { NO_PARAMETERS, verb } from "../verb";
import { deviceParams, noDevice } from "./id";
import { toDeviceView } from "./view";

interface Deps {
  readonly prisma: PrismaClient;
  readonly twins: Pick<DeviceTwins, "get">;
  readonly staleSeconds: number;
  readonly now: () => number;
}

export const getDevice = verb(
  {
    method: "GET",
    path: "/api/v1/devices/{id}",
    summary: "One device with its latest values",
    params: deviceParams,
    query: NO_PARAMETERS,
    answer: device,
    status: 200,
    problems: ["not-found"],
  },
  ({ prisma, twins, staleSeconds, now }: Deps) =>
    async ({ params: { id } }) => {
      const [found, known] = await Promise.all([findDevice(prisma, id), twins.get([id])]);
      if (found === null) throw noDevice(id);
      return toDeviceView(found, known.get(id), now(), staleSeconds);
    },
);
