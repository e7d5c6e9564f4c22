import type { Metadata } from "next";
import { SignInSettings } from "@/components/access/sign-in-settings";

export const metadata: Metadata = { title: "Sign-in settings" };

export default function SignInSettingsPage() {
  return <SignInSettings />;
}
