import type { Metadata } from "next";
import { Jobs } from "@/components/jobs/jobs";

export const metadata: Metadata = { title: "Jobs" };

export default function JobsPage() {
  return <Jobs />;
}
