import { deviceDetail } from "@/server/contracts/devices";
import { NO_PARAMETERS, verb } from "../verb";
import { deviceParams, noDevice } from "./id";
import { type DetailDeps, readDetail } from "./view";

export const getDevice = verb(
  {
    method: "GET",
    path: "/api/v1/devices/{id}",
    access: "view",
    bySite: true,
    summary: "One device with its latest values and what people wrote about it",
    params: deviceParams,
    query: NO_PARAMETERS,
    answer: deviceDetail,
    status: 200,
    problems: ["not-found"],
  },
  (deps: DetailDeps) =>
    async (ctx, { params: { id } }) => {
      const detail = await readDetail(ctx.tx, deps, ctx.now, id, ctx.sites);
      if (detail === null) throw noDevice(id);
      return detail;
    },
);
