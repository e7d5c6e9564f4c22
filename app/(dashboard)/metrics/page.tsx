import type { Metadata } from "next";
import { Suspense } from "react";
import { Metrics } from "@/components/metrics/metrics";

export const metadata: Metadata = { title: "Metrics" };

export default function MetricsPage() {
  return (
    <Suspense>
      <Metrics />
    </Suspense>
  );
}
