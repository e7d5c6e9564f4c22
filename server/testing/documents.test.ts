import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");

/** Every page for people, relative to the root. */
const pages = [".", "docs", "server"].flatMap((folder) =>
  readdirSync(path.join(root, folder), { recursive: folder !== "." })
    .map((name) => path.join(folder, String(name)))
    .filter((file) => file.endsWith(".md")),
);

const textOf = (page: string) => readFileSync(path.join(root, page), "utf8");
/** What is in fences is commands and their output. */
const proseOf = (page: string) => textOf(page).replace(/^```[^]*?^```/gm, "");

test("there are pages", () => expect(pages).toContain("docs/changing.md"));

describe.each(pages)("%s", (page) => {
  test("links to what is there", () => {
    const links = [...proseOf(page).matchAll(/\]\((?![a-z]+:)([^)\s]+)\)/g)].map(([, link]) => link!);
    expect(links.filter((link) => !leadsSomewhere(page, link))).toEqual([]);
  });

  test("names files and folders that are there", () => {
    const named = [
      ...proseOf(page).matchAll(/`((?:app|components|docker|docs|e2e|prisma|server)\/[\w./()-]*)([<*]?)/g),
    ];
    // Before what is to be filled in, names begin with what is there.
    const gone = named.filter(([, name, open]) => !(open ? isBegun(name!) : isThere(name!)));
    expect(gone.map(([, name]) => name)).toEqual([]);
  });
});

function leadsSomewhere(page: string, link: string): boolean {
  const [file = "", anchor] = link.split("#");
  const target = file === "" ? page : path.join(path.dirname(page), file);
  if (!existsSync(path.join(root, target))) return false;
  return anchor === undefined || headingsOf(target).includes(anchor);
}

/** The anchors that a page's headings make. */
function headingsOf(page: string): string[] {
  return [...proseOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replace(/\s/g, "-"),
  );
}

/** Also without its ending, as imports have it, or as an example of what people make. */
function isThere(name: string): boolean {
  return ["", ".ts", ".tsx", ".mjs", ".example"].some((ending) => existsSync(path.join(root, name + ending)));
}

function isBegun(name: string): boolean {
  const folder = path.join(root, name.slice(0, name.lastIndexOf("/")));
  return existsSync(folder) && readdirSync(folder).some((one) => one.startsWith(name.slice(name.lastIndexOf("/") + 1)));
}
