import type { MetadataRoute } from "next";

/** What a browser needs to know to install Fieldwatch beside other programs. */
export default function manifest(): MetadataRoute.Manifest {
  return {
    name: "Fieldwatch",
    short_name: "Fieldwatch",
    description: "Live readings and the health of every service behind them",
    start_url: "/",
    display: "standalone",
    background_color: "#ffffff",
    theme_color: "#1f57c4",
    icons: [{ src: "/favicon.svg", sizes: "any", type: "image/svg+xml", purpose: "any" }],
  };
}
