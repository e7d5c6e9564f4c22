/** An error that keeps Fieldwatch from starting or going on, ready for a person: what happened, why, and how to fix it. */
export class StartError extends Error {
  override readonly name = "StartError";
  /**
   * @param what one line: what could not be done.
   * @param why the particulars, one or more lines.
   * @param fix what to do, one or more lines; commands ready to copy.
   */
  constructor(
    readonly what: string,
    readonly why: string,
    readonly fix: string,
    options: { cause?: unknown } = {},
  ) {
    super(`${what}: ${why}`, options);
  }
}

/** The `code` of a system or PostgreSQL error (ENOSPC, 28P01, …), or undefined. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { code, errors } = error as { code?: unknown; errors?: unknown };
  if (typeof code === "string" && code !== "") return code;
  // A name with several addresses fails with one error for each.
  return Array.isArray(errors) ? errorCode(errors[0]) : undefined;
}
