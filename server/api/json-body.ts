import type { z } from "zod";
import { issueWords } from "./issue-words";
import { invalid } from "./parse";
import { ProblemError } from "./problem";

/** Bodies of changes are small; what is larger is not one. */
const MOST_BYTES = 64 * 1024;

/** What can be wrong with a body as such, whatever verb it is sent to. */
export const BODY_PROBLEMS = ["unsupported-media-type", "unreadable-body", "body-too-large"] as const;

/** Reads and checks a small JSON body. @throws ProblemError naming everything that is wrong with it. */
export async function parseJsonBody<T extends z.ZodType>(
  schema: T,
  request: Request,
  mostBytes = MOST_BYTES,
): Promise<z.output<T>> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (type !== "application/json")
    throw new ProblemError("unsupported-media-type", `Send application/json; this is ${type || "not named"}.`);
  const result = schema.safeParse(parse(await readText(request, mostBytes)), { error: issueWords });
  if (result.success) return result.data;
  throw invalid(
    result.error.issues.map((issue) => ({
      at: [...issue.path, ...(issue.code === "unrecognized_keys" ? [issue.keys.join(", ")] : [])].join(".") || "body",
      message: issue.message,
    })),
  );
}

/** The text of a body. @throws ProblemError when it is too long. */
export async function readText(request: Request, mostBytes: number): Promise<string> {
  const decoder = new TextDecoder("utf-8");
  let text = "";
  let bytes = 0;
  const reader = request.body?.getReader();
  for (let step = await reader?.read(); step?.value; step = await reader?.read()) {
    bytes += step.value.byteLength;
    if (bytes > mostBytes) {
      await reader?.cancel();
      throw new ProblemError("body-too-large", `The body may be ${mostBytes} bytes long at most.`);
    }
    text += decoder.decode(step.value, { stream: true });
  }
  return text + decoder.decode();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ProblemError("unreadable-body", `The body is not JSON: ${(error as Error).message}.`);
  }
}
