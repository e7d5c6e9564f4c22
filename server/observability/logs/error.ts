/** An error as a log line has it. */
export interface LoggedError {
  readonly type: string;
  readonly code?: string;
  readonly message: string;
  readonly stack?: string;
}

const MOST_CHARACTERS = 2000;

/**
 * What a log line says of an error: never what was being written or read. PostgreSQL's particulars and the arguments of a query are left out, and so are
 * the values that messages quote.
 */
export function toLoggedError(error: unknown): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: shortened(String(error)) };
  const { code, kind } = error as { code?: unknown; kind?: unknown };
  const told = [code, kind].find((one) => typeof one === "string" || typeof one === "number");
  const causes = causesOf(error);
  return {
    type: error.name,
    ...(told !== undefined && { code: String(told) }),
    message: shortened(causes.map(messageOf).join(": because of ")),
    stack: causes.map(placeOf).join("\ncaused by "),
  };
}

/** The error and what caused it, outermost first. */
function causesOf(error: Error): readonly Error[] {
  const found: Error[] = [];
  for (let one: unknown = error; one instanceof Error && !found.includes(one) && found.length < 5; one = one.cause)
    found.push(one);
  return found;
}

function messageOf(error: Error): string {
  const { message, name } = error;
  const { code } = error as { code?: unknown };
  // JSON.parse quotes what it was given, as PostgreSQL does with data it can't take (class 22).
  if (name === "SyntaxError") return message.replace(/"[^]*"/g, "…");
  if (typeof code === "string" && /^22/.test(code)) return message.replace(/: "[^]*"/g, ": …").replace(/"[^]*"/g, "…");
  // Prisma begins with the call and its arguments; what went wrong is its last line.
  if (name.startsWith("PrismaClient")) return message.trim().split("\n").at(-1)!;
  return message;
}

/** Its class and the lines of its stack: the message above them may be longer than one line. */
function placeOf({ name, stack = "" }: Error): string {
  const frames = stack.search(/\n {4}at /);
  return frames === -1 ? name : name + stack.slice(frames);
}

function shortened(text: string): string {
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)}…`;
}
