import { notFoundRoute } from "@/server/api/runtime";

export const dynamic = "force-dynamic";
export {
  notFoundRoute as GET,
  notFoundRoute as POST,
  notFoundRoute as PUT,
  notFoundRoute as PATCH,
  notFoundRoute as DELETE,
};
