import { z } from "zod";
import { issueWords } from "./issue-words";
import { ProblemError } from "./problem";

/** Reads path or query parameters. @throws ProblemError naming everything that is wrong, repeated names too, and unknown ones unless the schema is loose. */
export function parseParameters<T extends z.ZodObject>(
  schema: T,
  given: Iterable<readonly [string, string]>,
): z.output<T> {
  const errors: { at: string; message: string }[] = [];
  const values: Record<string, string | string[]> = {};
  for (const [name, value] of given) {
    const list = values[name];
    if (!Object.hasOwn(schema.shape, name) && schema.def.catchall === undefined)
      errors.push({ at: name, message: "is not a parameter of this address" });
    else if (isList(schema.shape[name])) values[name] = Array.isArray(list) ? [...list, value] : [value];
    else if (Object.hasOwn(values, name)) errors.push({ at: name, message: "is given more than once" });
    else values[name] = value;
  }
  const result = schema.safeParse(values, { error: issueWords });
  if (!result.success) {
    errors.push(...result.error.issues.map((issue) => ({ at: issue.path.join("."), message: issue.message })));
  }
  if (errors.length > 0 || !result.success) throw invalid(errors);
  return result.data;
}

/** True for a parameter that may be given several times. */
function isList(member: z.core.$ZodType | undefined): boolean {
  return member instanceof z.ZodOptional ? isList(member.unwrap()) : member instanceof z.ZodArray;
}

/** The problem of parameters that are not valid. */
export function invalid(errors: readonly { at: string; message: string }[]): ProblemError {
  const detail = errors.map(({ at, message }) => `${at}: ${message}`).join("; ");
  return new ProblemError("invalid-parameters", detail, { members: { errors } });
}
