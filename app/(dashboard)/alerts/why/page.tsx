import type { Metadata } from "next";
import { Suspense } from "react";
import { Why } from "@/components/alerts/why";

export const metadata: Metadata = { title: "Why" };

export default function WhyPage() {
  return (
    <Suspense>
      <Why />
    </Suspense>
  );
}
