import type { ReactNode } from "react";
import { preload } from "react-dom";
import { Shell } from "@/components/shell/shell";
import type { AlertSummary } from "@/server/contracts/alerts";
import type { HealthAnswer } from "@/server/contracts/health";
import { firstAnswer, firstMe, firstOfAllSites } from "./first-answers";

export default async function DashboardLayout({ children }: { children: ReactNode }) {
  const me = await firstMe();
  // Every page waits for who is signed in: where that isn't known yet, it is on its way before the scripts are.
  if (me === null) preload("/api/v1/me", { as: "fetch", crossOrigin: "anonymous" });
  const [health, alerts] = await Promise.all([
    firstOfAllSites<HealthAnswer>("getHealth", "/api/v1/health"),
    me && firstAnswer<AlertSummary>("summarizeAlerts", "/api/v1/alert-summary"),
  ]);
  return <Shell first={{ me, health, alerts }}>{children}</Shell>;
}
