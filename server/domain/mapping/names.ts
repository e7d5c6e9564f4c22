import { isName } from "../terms";

const ILLEGAL = /[^A-Za-z0-9_.:-]/;
const utf8 = new TextEncoder();

/**
 * Makes a legal name of a foreign one: `/` becomes `.`, white space `-`, every other character `_` and the hexadecimal digits of its UTF-8 bytes
 * (`ü` is `_C3_BC`). Null if that is too long, empty or reserved.
 */
export function legalName(text: string): string | null {
  if (!ILLEGAL.test(text)) return isName(text) ? text : null;
  if (text.length > 128) return null;
  let name = "";
  for (const char of text) {
    if (!ILLEGAL.test(char)) name += char;
    else if (char === "/") name += ".";
    else if (/\s/.test(char)) name += "-";
    else for (const byte of utf8.encode(char)) name += `_${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return isName(name) ? name : null;
}
