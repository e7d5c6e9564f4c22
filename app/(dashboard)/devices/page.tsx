import type { Metadata } from "next";
import { Suspense } from "react";
import { Devices } from "@/components/devices/devices";

export const metadata: Metadata = { title: "Devices" };

export default function DevicesPage() {
  return (
    <Suspense>
      <Devices />
    </Suspense>
  );
}
