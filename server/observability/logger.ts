import pino from "pino";
import pretty from "pino-pretty";

export type Logger = pino.Logger;

/**
 * The log of one process: a JSON object a line, or lines for people.
 * @param options.role which part of Fieldwatch writes it; on every line.
 * @param options.format "auto" is pretty on a terminal and JSON elsewhere.
 */
export function createLogger(options: { role: string; level: string; format: "auto" | "json" | "pretty" }): Logger {
  const { role, level, format } = options;
  const settings: pino.LoggerOptions = {
    level,
    base: { role, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  };
  const people = format === "pretty" || (format === "auto" && process.stdout.isTTY === true);
  if (!people) return pino(settings);
  // Logging stays in this thread, so that the last lines before an exit are never lost.
  const stream = pretty({
    colorize: process.stdout.isTTY === true,
    translateTime: "HH:MM:ss.l",
    ignore: "pid,role,hostname",
    messageFormat: "{role}: {msg}",
    singleLine: true,
    sync: true,
  });
  return pino({ ...settings, formatters: {} }, stream);
}
