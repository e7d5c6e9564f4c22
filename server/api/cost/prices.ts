import { readFile } from "node:fs/promises";
import { type PricesFile, pricesFile } from "@/server/contracts/cost";
import examples from "./prices.json";

/** The prices to reckon with, and what is wrong with the file of one's own, if it is. */
export type Prices =
  | { readonly file: PricesFile; readonly isOwn: boolean; readonly trouble: null }
  | { readonly file: null; readonly trouble: string };

/** @param path PRICES_FILE; undefined: the examples that come along. */
export async function readPrices(path: string | undefined): Promise<Prices> {
  if (path === undefined) return { file: pricesFile.parse(examples), isOwn: false, trouble: null };
  const wrong = (what: string): Prices => ({ file: null, trouble: `PRICES_FILE, ${path}: ${what}` });
  let found: unknown;
  try {
    found = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    return wrong(error instanceof SyntaxError ? `it isn't JSON: ${error.message}` : (error as Error).message);
  }
  const read = pricesFile.safeParse(found);
  if (read.success) return { file: read.data, isOwn: true, trouble: null };
  const [issue] = read.error.issues;
  return wrong(`${issue!.path.join(".") || "the whole"}: ${issue!.message}`);
}
