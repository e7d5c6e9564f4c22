import pino from "pino";
import pretty from "pino-pretty";
import { logContext } from "./logs/context";
import { toLoggedError } from "./logs/error";
import { LOG_FIELDS } from "./logs/fields";
import { createRepeats, type Repeats } from "./logs/repeats";

export type Logger = pino.Logger;

/** "auto" is pretty on a terminal and JSON elsewhere; ecs is JSON by the names of the Elastic Common Schema. */
export type LogFormat = "auto" | "json" | "ecs" | "pretty";

const ECS_VERSION = "8.11.0";

/**
 * The log of one process: a JSON object a line as docs/logs.md has it, or lines for people.
 * @param options.role which part of Fieldwatch writes it; on every line.
 * @param options.to where machines' lines go; this process's output unless given.
 */
export function createLogger(options: {
  role: string;
  level: string;
  format: LogFormat;
  to?: { write(line: string): void };
}): Logger {
  const { role, level, format, to = pino.destination({ fd: 1, sync: true }) } = options;
  const repeats = createRepeats({
    now: () => performance.now(),
    onFirstHeld: () => process.once("exit", () => repeats.tellAll()),
  });
  const common = { level, hooks: { logMethod: heldBack(repeats) } } satisfies pino.LoggerOptions;
  if (isForPeople(format)) {
    // Logging stays in this thread, so that the last lines before an exit are never lost.
    const stream = pretty({
      colorize: process.stdout.isTTY === true,
      translateTime: "HH:MM:ss.l",
      ignore: "pid,role,hostname",
      messageFormat: "{role}: {msg}",
      singleLine: true,
      sync: true,
    });
    const log = ({ err, ...rest }: Record<string, unknown>) => ({
      ...logContext(),
      ...rest,
      ...(err !== undefined && { err: toLoggedError(err) }),
    });
    return pino({ ...common, base: { role, pid: process.pid }, formatters: { log }, serializers: AS_IT_IS }, stream);
  }
  if (format !== "ecs")
    return pino(
      {
        ...common,
        base: { role, pid: process.pid },
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }), log: toFields },
      },
      to,
    );
  const { level: levelName, msg, time } = ECS_NAMES;
  return pino(
    {
      ...common,
      base: {
        "ecs.version": ECS_VERSION,
        "service.name": "fieldwatch",
        [ECS_NAMES.role!]: [role],
        [ECS_NAMES.pid!]: process.pid,
      },
      messageKey: msg!,
      timestamp: () => `,"${time}":"${new Date().toISOString()}"`,
      formatters: {
        level: (label) => ({ [levelName!]: label }),
        log: (particulars) => toEcs(toFields(particulars)),
      },
    },
    to,
  );
}

/** Returns true if lines of this format are read by people as they are written. */
export function isForPeople(format: LogFormat): boolean {
  return format === "pretty" || (format === "auto" && process.stdout.isTTY === true);
}

/** The error was made what it shall be before. */
const AS_IT_IS = { err: (error: unknown) => error };

const ECS_NAMES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(LOG_FIELDS).map(([name, { ecs }]) => [name, ecs]),
);

/** What a caller said besides the message, as fields of the line. */
function toFields({ err, repeats, ...details }: Record<string, unknown>): Record<string, unknown> {
  const hasDetails = Object.keys(details).length > 0;
  return {
    ...logContext(),
    ...(err !== undefined && { error: toLoggedError(err) }),
    ...(repeats !== undefined && { repeats }),
    ...(hasDetails && { details }),
  };
}

/** The same with ECS' names. */
function toEcs(fields: Record<string, unknown>): Record<string, unknown> {
  const { error, ...others } = fields;
  const flat = Object.entries({
    ...others,
    ...Object.fromEntries(Object.entries((error as object | undefined) ?? {}).map(([k, v]) => [`error.${k}`, v])),
  });
  return Object.fromEntries(flat.map(([name, value]) => [ECS_NAMES[name] ?? name, value]));
}

const [INFO, FATAL] = [30, 60];

/** Lines of info, warn and error that say the same are written a few times, and then counted. Who asks for debug lines wants all of them. */
function heldBack(repeats: Repeats): NonNullable<NonNullable<pino.LoggerOptions["hooks"]>["logMethod"]> {
  return function logMethod(args, method, level) {
    if (level < INFO || level >= FATAL) return method.apply(this, args);
    const [first, second] = args as unknown as [unknown, unknown];
    const particulars = typeof first === "object" && first !== null ? (first as Record<string, unknown>) : {};
    const text = String(typeof first === "string" ? first : (second ?? ""));
    const code = (particulars.err as { code?: unknown } | undefined)?.code ?? "";
    repeats.line(`${level} ${text} ${String(code)}`, (held) => {
      if (held === 0) method.apply(this, args);
      else
        method.apply(this, [{ ...particulars, repeats: held }, `${text} … ${held} more like this`] as Parameters<
          typeof method
        >);
    });
  };
}
