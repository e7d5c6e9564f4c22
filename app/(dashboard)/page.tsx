import type { Metadata } from "next";
import { Overview } from "@/components/overview/overview";
import { Wall } from "@/components/overview/wall";
import type { PipelineAnswer } from "@/server/contracts/pipeline";
import { firstOfAllSites } from "./first-answers";

export const metadata: Metadata = { title: "Overview" };

export default async function OverviewPage({
  searchParams,
}: {
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}) {
  if ((await searchParams).wall === "1") return <Wall />;
  return <Overview first={await firstOfAllSites<PipelineAnswer>("getPipeline", "/api/v1/pipeline")} />;
}
