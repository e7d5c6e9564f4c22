import type { Metadata } from "next";
import { Channels } from "@/components/notifications/channels";

export const metadata: Metadata = { title: "Channels and routes" };

export default function ChannelsPage() {
  return <Channels />;
}
