/** @type {import("next").NextConfig} */
const config = {
  reactStrictMode: true,
  poweredByHeader: false,
  // Types are checked by `npm run types`; the build stays quick for those who only want to run it.
  typescript: { ignoreBuildErrors: true },
  // Node keeps each map of what it loads in memory, with the sources in it: web took 43 MB more with them.
  experimental: { turbopackSourceMaps: false },
  serverExternalPackages: [
    "pg",
    "pg-copy-streams",
    "pino",
    "pino-pretty",
    "classic-level",
    "socket.io",
    "@prisma/client",
    "@prisma/adapter-pg",
  ],
};

export default config;
