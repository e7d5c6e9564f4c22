// Fails if a package that runs has a known fault of a high or critical kind. Where no registry tells, it says so and passes.
import { spawnSync } from "node:child_process";

const { stdout } = spawnSync("npm", ["audit", "--omit=dev", "--json"], {
  encoding: "utf8",
  maxBuffer: 64 * 1024 * 1024,
  shell: process.platform === "win32",
});
let report = {};
try {
  report = JSON.parse(stdout);
} catch {
  // Nothing that could be read: not checked.
}
const counts = report.metadata?.vulnerabilities;
if (counts === undefined) {
  console.log(`advisories: NOT CHECKED: ${report.message ?? report.error?.summary ?? "npm audit gave no report"}`);
} else {
  const bad = Object.values(report.vulnerabilities).filter(({ severity }) => /^(high|critical)$/.test(severity));
  for (const { name, severity, range, fixAvailable } of bad)
    console.error(`${severity}: ${name} ${range}${fixAvailable ? "; `npm audit fix` has a version without it" : ""}`);
  console.log(
    `advisories: ${counts.total} known in ${report.metadata.dependencies.prod} packages that run, ${bad.length} of them high or critical`,
  );
  process.exitCode = bad.length > 0 ? 1 : 0;
}
