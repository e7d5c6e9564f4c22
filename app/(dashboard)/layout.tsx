import type { ReactNode } from "react";
import { preload } from "react-dom";
import { Shell } from "@/components/shell/shell";

export default function DashboardLayout({ children }: { children: ReactNode }) {
  // Every page waits for who is signed in: it is on its way before the scripts are.
  preload("/api/v1/me", { as: "fetch", crossOrigin: "anonymous" });
  return <Shell>{children}</Shell>;
}
