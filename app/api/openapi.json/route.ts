import { openApiRoute } from "@/server/api/runtime";

export const dynamic = "force-dynamic";
export const GET = openApiRoute;
