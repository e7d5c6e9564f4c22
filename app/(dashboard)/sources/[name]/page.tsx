import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { Suspense } from "react";
import { Source } from "@/components/sources/source";
import { sourceName } from "@/server/contracts/sources";

interface Props {
  params: Promise<{ name: string }>;
}

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const { name } = await params;
  return { title: sourceName.safeParse(name).success ? name : "Source" };
}

export default async function SourcePage({ params }: Props) {
  const { name } = await params;
  if (!sourceName.safeParse(name).success) notFound();
  return (
    <Suspense>
      <Source key={name} name={name} />
    </Suspense>
  );
}
