import type { Metadata } from "next";
import { Suspense } from "react";
import { Inbox } from "@/components/alerts/inbox";

export const metadata: Metadata = { title: "Alerts" };

export default function AlertsPage() {
  return (
    <Suspense>
      <Inbox />
    </Suspense>
  );
}
