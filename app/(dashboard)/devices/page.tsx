import { headers } from "next/headers";
import type { Metadata } from "next";
import { Suspense } from "react";
import { Devices } from "@/components/devices/devices";
import { fleetOrderAddress, readWanted } from "@/components/queries/wanted-devices";
import { answerFor } from "@/server/api/runtime";
import type { FleetOrder } from "@/server/contracts/fleet";

export const metadata: Metadata = { title: "Devices" };

/** The time the first HTML waits for its rows, in milliseconds. */
const PATIENCE_MS = 300;

export default async function DevicesPage({
  searchParams,
}: {
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}) {
  const address = new URLSearchParams(
    Object.entries(await searchParams).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
  );
  const asked = fleetOrderAddress(readWanted(address));
  const order = await answerFor<FleetOrder>("getFleetOrder", asked, PATIENCE_MS, await headers());
  return (
    <Suspense>
      <Devices first={order && { asked, order }} />
    </Suspense>
  );
}
