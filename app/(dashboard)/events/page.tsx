import type { Metadata } from "next";
import { Suspense } from "react";
import { Events } from "@/components/events/events";

export const metadata: Metadata = { title: "Events" };

export default function EventsPage() {
  return (
    <Suspense>
      <Events />
    </Suspense>
  );
}
