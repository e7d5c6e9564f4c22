import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { Suspense } from "react";
import { Device } from "@/components/devices/device";
import { DeviceQuality } from "@/components/quality/device-quality";
import { deviceInAddress } from "@/components/shell/device-in-address";

interface Props {
  params: Promise<{ id: string }>;
}

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  return { title: deviceInAddress((await params).id) ?? "Device" };
}

export default async function DevicePage({ params }: Props) {
  const id = deviceInAddress((await params).id);
  if (id === null) notFound();
  return (
    <Suspense>
      <Device key={id} id={id} quality={<DeviceQuality device={id} />} />
    </Suspense>
  );
}
