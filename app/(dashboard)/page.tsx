import type { Metadata } from "next";
import { Overview } from "@/components/overview/overview";
import { Wall } from "@/components/overview/wall";

export const metadata: Metadata = { title: "Overview" };

export default async function OverviewPage({
  searchParams,
}: {
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}) {
  return (await searchParams).wall === "1" ? <Wall /> : <Overview />;
}
