import type { Metadata } from "next";
import { Suspense } from "react";
import { Pipeline } from "@/components/pipeline/pipeline";

export const metadata: Metadata = { title: "Pipeline" };

export default function PipelinePage() {
  return (
    <Suspense>
      <Pipeline />
    </Suspense>
  );
}
