import type { z } from "zod";
import { readText } from "./json-body";
import { invalid } from "./parse";
import { ProblemError } from "./problem";

/** Bodies of forms are small; what is larger is not one. */
const MOST_BYTES = 64 * 1024;

/** Reads and checks the body of a form. @throws ProblemError naming everything that is wrong with it. */
export async function parseFormBody<T extends z.ZodType>(schema: T, request: Request): Promise<z.output<T>> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (type !== "application/x-www-form-urlencoded")
    throw new ProblemError(
      "unsupported-media-type",
      `Send application/x-www-form-urlencoded; this is ${type || "not named"}.`,
    );
  const result = schema.safeParse(Object.fromEntries(new URLSearchParams(await readText(request, MOST_BYTES))));
  if (result.success) return result.data;
  throw invalid(result.error.issues.map(({ path, message }) => ({ at: path.join(".") || "body", message })));
}
