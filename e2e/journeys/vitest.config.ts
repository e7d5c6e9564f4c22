import path from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: path.resolve(import.meta.dirname, "../.."),
  resolve: { alias: { "@": path.resolve(import.meta.dirname, "../..") } },
  test: {
    include: ["e2e/journeys/**/*.test.ts"],
    setupFiles: ["e2e/journeys/tell-failed.ts"],
    // One product and one browser at a time: the machine's attention is part of what is measured.
    fileParallelism: false,
    // Above the sum of what a journey waits for on a slow machine: then the step that failed is told.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    reporters: process.env.TEST_REPORTS
      ? ["default", ["json", { outputFile: `${process.env.TEST_REPORTS}/journeys.json` }]]
      : ["default"],
  },
});
