import type { Metadata } from "next";
import { Suspense } from "react";
import { Rules } from "@/components/alerts/rules";

export const metadata: Metadata = { title: "Rules" };

export default function RulesPage() {
  return (
    <Suspense>
      <Rules />
    </Suspense>
  );
}
