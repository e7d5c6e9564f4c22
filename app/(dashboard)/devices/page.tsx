import type { Metadata } from "next";
import { Suspense } from "react";
import { preload } from "react-dom";
import { Devices } from "@/components/devices/devices";
import { fleetOrderAddress, readWanted } from "@/components/devices/wanted";

export const metadata: Metadata = { title: "Devices" };

export default async function DevicesPage({
  searchParams,
}: {
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}) {
  const address = new URLSearchParams(
    Object.entries(await searchParams).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
  );
  preload(fleetOrderAddress(readWanted(address)), { as: "fetch", crossOrigin: "anonymous" });
  return (
    <Suspense>
      <Devices />
    </Suspense>
  );
}
