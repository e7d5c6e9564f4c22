import { readFileSync } from "node:fs";
import path from "node:path";

/** One version, as CHANGELOG.md tells it. */
export interface Release {
  version: string;
  /** The day it came out, YYYY-MM-DD; null: not yet. */
  date: string | null;
  sections: { title: string; changes: string[] }[];
}

/** What CHANGELOG.md says, newest first. */
export const readChangelog = (): Release[] => parseChangelog(readFileSync(path.resolve("CHANGELOG.md"), "utf8"));

/** Reads the form of https://keepachangelog.com/en/1.1.0/; a change may go on in indented lines. @throws for a heading that is no version. */
export function parseChangelog(text: string): Release[] {
  const [, ...releases] = text.split(/^## /m);
  return releases.map((release) => {
    const [head = "", ...sections] = release.split(/^### /m);
    const heading = head.trim();
    const [, version, date] = /^\[([^\]]+)\](?: - (\d{4}-\d{2}-\d{2}))?$/.exec(heading) ?? [];
    if (version === undefined) throw new Error(`CHANGELOG.md: "## ${heading}" isn't like "## [1.2.3] - 2026-01-31"`);
    return {
      version,
      date: date ?? null,
      sections: sections.map((section) => {
        const [title = "", ...changes] = section.split(/\n+- /);
        return { title: title.trim(), changes: changes.map((change) => change.trim().replace(/\n\s+/g, " ")) };
      }),
    };
  });
}
