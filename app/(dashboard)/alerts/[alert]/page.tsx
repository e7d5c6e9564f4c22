import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { AlertView } from "@/components/alerts/alert";

interface Props {
  params: Promise<{ alert: string }>;
}

export const metadata: Metadata = { title: "Alert" };

export default async function AlertPage({ params }: Props) {
  const { alert } = await params;
  if (!/^[1-9]\d{0,17}$/.test(alert)) notFound();
  return <AlertView key={alert} id={alert} />;
}
