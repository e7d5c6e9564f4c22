import type { Metadata } from "next";
import { Suspense } from "react";
import { Odd } from "@/components/quality/odd";

export const metadata: Metadata = { title: "Odd now" };

export default function OddPage() {
  return (
    <Suspense>
      <Odd />
    </Suspense>
  );
}
