import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { Suspense } from "react";
import { MappingPage } from "@/components/sources/mapping-page";
import { sourceName } from "@/server/contracts/sources";

interface Props {
  params: Promise<{ name: string }>;
}

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const { name } = await params;
  return { title: sourceName.safeParse(name).success ? `Mapping of ${name}` : "Mapping" };
}

export default async function SourceMappingPage({ params }: Props) {
  const { name } = await params;
  if (!sourceName.safeParse(name).success) notFound();
  return (
    <Suspense>
      <MappingPage key={name} name={name} />
    </Suspense>
  );
}
