import "@fontsource-variable/inter/wght.css";
import "@mantine/core/styles.layer.css";
import "./globals.css";
import { ColorSchemeScript, mantineHtmlProps } from "@mantine/core";
import type { Metadata, Viewport } from "next";
import { headers } from "next/headers";
import type { ReactNode } from "react";
import { CHROME_COLORS } from "@/components/ui/theme";
import { ThemeProvider } from "@/components/ui/theme-provider";

export const metadata: Metadata = {
  title: { default: "Fieldwatch", template: "%s · Fieldwatch" },
  description: "Live readings and the health of every service behind them",
  icons: { icon: "/favicon.svg" },
};

export const viewport: Viewport = {
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: CHROME_COLORS.light },
    { media: "(prefers-color-scheme: dark)", color: CHROME_COLORS.dark },
  ],
};

/** No page is made ahead of time: the scripts of each carry a nonce of their own. */
export default async function RootLayout({ children }: { children: ReactNode }) {
  const policy = (await headers()).get("content-security-policy") ?? "";
  const nonce = /'nonce-([^']+)'/.exec(policy)?.[1];
  return (
    <html lang="en" {...mantineHtmlProps}>
      <head>
        <ColorSchemeScript defaultColorScheme="auto" {...(nonce && { nonce })} />
      </head>
      <body>
        <ThemeProvider>{children}</ThemeProvider>
      </body>
    </html>
  );
}
