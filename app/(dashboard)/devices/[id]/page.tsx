import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { Suspense } from "react";
import { Device } from "@/components/devices/device";
import { isName } from "@/server/domain/terms";

interface Props {
  params: Promise<{ id: string }>;
}

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  return { title: nameIn((await params).id) ?? "Device" };
}

export default async function DevicePage({ params }: Props) {
  const id = nameIn((await params).id);
  if (id === null) notFound();
  return (
    <Suspense>
      <Device key={id} id={id} />
    </Suspense>
  );
}

function nameIn(segment: string): string | null {
  try {
    const name = decodeURIComponent(segment);
    return isName(name) ? name : null;
  } catch {
    return null;
  }
}
