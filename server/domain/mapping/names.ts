import { isName } from "../terms";
import { readHeading } from "./headings";
import type { Mapping } from "./mapping";

const ILLEGAL = /[^A-Za-z0-9_.:-]/;
/** What `distinct` writes for a byte, where a sender's own name has it. */
const LIKE_CODE = /_(?=x[0-9A-F]{2})/g;
const utf8 = new TextEncoder();

/**
 * Makes a legal name of a foreign one, as a mapping's `names` say. `short`: `/` becomes `.`, white space `-`, every other character `_` and the hexadecimal
 * digits of its UTF-8 bytes (`ü` is `_C3_BC`), so that some names become one. `distinct`: no two become one, as every byte that isn't legal is `_x` and its digits
 * (`/` is `_x2F`). `headings` as people write over columns: {@link readHeading}. Null if that is too long, empty or reserved.
 */
export function legalName(text: string, names: Mapping["names"] = "short"): string | null {
  if (names === "headings") return readHeading(text).metric || null;
  const isDistinct = names === "distinct";
  const written = isDistinct && text.includes("_x") ? text.replace(LIKE_CODE, "_x5F") : text;
  if (!ILLEGAL.test(written)) return isName(written) ? written : null;
  if (text.length > 128) return null;
  let name = "";
  for (const char of written) {
    if (!ILLEGAL.test(char)) name += char;
    else if (!isDistinct && char === "/") name += ".";
    else if (!isDistinct && /\s/.test(char)) name += "-";
    else for (const byte of utf8.encode(char)) name += codeOf(byte, isDistinct ? "_x" : "_");
  }
  return isName(name) ? name : null;
}

function codeOf(byte: number, before: string): string {
  return before + byte.toString(16).toUpperCase().padStart(2, "0");
}
