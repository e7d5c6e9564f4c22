import type { Metadata } from "next";
import { Rules } from "@/components/alerts/rules";

export const metadata: Metadata = { title: "Rules" };

export default function RulesPage() {
  return <Rules />;
}
