import type { Metadata } from "next";
import { Suspense } from "react";
import { Sources } from "@/components/sources/sources";

export const metadata: Metadata = { title: "Sources" };

export default function SourcesPage() {
  return (
    <Suspense>
      <Sources />
    </Suspense>
  );
}
