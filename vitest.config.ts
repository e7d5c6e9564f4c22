import path from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { alias: { "@": path.resolve(import.meta.dirname) } },
  test: {
    include: ["{app,components,server,e2e}/**/*.test.{ts,tsx}"],
    exclude: ["e2e/journeys/**", "**/node_modules/**"],
    // Starts one PostgreSQL for the whole run; each test file makes its own database on it.
    globalSetup: ["server/testing/global-setup.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // .ci/run counts from these.
    reporters: process.env.TEST_REPORTS
      ? ["default", ["json", { outputFile: `${process.env.TEST_REPORTS}/unit.json` }]]
      : ["default"],
  },
});
