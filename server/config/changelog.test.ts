import { expect, test } from "vitest";
import { parseChangelog, readChangelog } from "./changelog";
import { readVersion } from "./version";

test("a changelog is read by version and kind of change; what isn't out yet has no date", () => {
  const text = `# Changelog\n\nWhat changed.\n\n## [Unreleased]\n\n### Added\n\n- One\n  that goes on\n- Two\n\n### Breaking\n\n- Three\n\n## [0.1.0] - 2026-11-24\n`;
  expect(parseChangelog(text)).toEqual([
    {
      version: "Unreleased",
      date: null,
      sections: [
        { title: "Added", changes: ["One that goes on", "Two"] },
        { title: "Breaking", changes: ["Three"] },
      ],
    },
    { version: "0.1.0", date: "2026-11-24", sections: [] },
  ]);
  expect(() => parseChangelog("# C\n## 0.1.0, soon\n")).toThrow('"## 0.1.0, soon" isn\'t like');
});

test("the project's own names the version that runs, and each kind of change by its usual name", () => {
  const releases = readChangelog();
  expect(releases.map(({ version }) => version)).toContain(readVersion());
  const kinds = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "Breaking"];
  for (const { sections } of releases)
    for (const { title, changes } of sections) {
      expect(kinds).toContain(title);
      expect(changes.length).toBeGreaterThan(0);
    }
});
