import type { Metadata } from "next";
import { Suspense } from "react";
import { Quality } from "@/components/quality/quality";

export const metadata: Metadata = { title: "Quality" };

export default function QualityPage() {
  return (
    <Suspense>
      <Quality />
    </Suspense>
  );
}
