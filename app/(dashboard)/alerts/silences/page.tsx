import type { Metadata } from "next";
import { Silences } from "@/components/notifications/silences";

export const metadata: Metadata = { title: "Silences and maintenance" };

export default function SilencesPage() {
  return <Silences />;
}
