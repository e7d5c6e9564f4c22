import type { Metadata } from "next";
import { Suspense } from "react";
import { Devices } from "@/components/devices/devices";
import { fleetOrderAddress, readWanted } from "@/components/queries/wanted-devices";
import type { FleetOrder } from "@/server/contracts/fleet";
import { firstAnswer } from "../first-answers";

export const metadata: Metadata = { title: "Devices" };

export default async function DevicesPage({
  searchParams,
}: {
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}) {
  const address = new URLSearchParams(
    Object.entries(await searchParams).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
  );
  const asked = fleetOrderAddress(readWanted(address));
  const order = await firstAnswer<FleetOrder>("getFleetOrder", asked);
  return (
    <Suspense>
      <Devices first={order && { asked, order }} />
    </Suspense>
  );
}
