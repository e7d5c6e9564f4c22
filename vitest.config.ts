import path from "node:path";
import { defineConfig } from "vitest/config";

const INCLUDE = ["{app,components,server,e2e}/**/*.test.{ts,tsx}"];
const ELSEWHERE = ["e2e/journeys/**", "**/node_modules/**"];
/** Tests that share what is loaded, which takes longer than most of them: routes, and what holds no state of its own. Those of access stub clocks and hashes. */
const TOGETHER = [
  "components/**/*.test.{ts,tsx}",
  "server/{domain,contracts,alerting,catalog,quality,oddness,events,health,readings,pipeline,jobs,sources,notifications}/**/*.test.ts",
  "server/api/!(access)/**/*.test.ts",
];

const resolve = { alias: { "@": path.resolve(import.meta.dirname) } };
// For what hangs: the machine may be busy with drills beside the tests.
const timeouts = { testTimeout: 90_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    // Starts one PostgreSQL for the whole run; each test file makes its own database on it.
    globalSetup: ["server/testing/global-setup.ts"],
    maxWorkers: 2,
    projects: [
      { resolve, test: { ...timeouts, name: "apart", include: INCLUDE, exclude: [...ELSEWHERE, ...TOGETHER] } },
      {
        resolve,
        test: {
          ...timeouts,
          name: "together",
          include: TOGETHER,
          isolate: false,
          setupFiles: ["server/testing/together-setup.ts"],
        },
      },
    ],
    // .ci/run counts from these.
    reporters: process.env.TEST_REPORTS
      ? ["default", ["json", { outputFile: `${process.env.TEST_REPORTS}/unit.json` }]]
      : ["default"],
  },
  resolve,
});
