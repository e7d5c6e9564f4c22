import { routes } from "@/server/api/runtime";

export const dynamic = "force-dynamic";
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = routes({ GET: "exportTexts" });
