import type { Metadata } from "next";
import { Lineage } from "@/components/metrics/lineage";

export const metadata: Metadata = { title: "Lineage" };

export default function LineagePage() {
  return <Lineage />;
}
