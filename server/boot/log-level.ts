import { LOG_LEVELS, type LogLevel } from "@/server/domain/log-level";
import type { Logger } from "@/server/observability/logger";

/** What processes tell each other: the least severe lines to write; null: by LOG_LEVEL. */
export interface LevelMessage {
  readonly logLevel: LogLevel | null;
}

export function isLevelMessage(message: unknown): message is LevelMessage {
  const { logLevel } = (message ?? {}) as Partial<LevelMessage>;
  return logLevel === null || LOG_LEVELS.includes(logLevel as LogLevel);
}

/** Lets a process write lines from `level` on; null: from the one it was started with on. */
export function applyLevel(logger: Logger, configured: LogLevel, level: LogLevel | null): void {
  const next = level ?? configured;
  if (logger.level === next) return;
  logger.level = next;
  logger.info({ level: next, configured }, "another level of log lines");
}

/**
 * Lets SIGUSR2 turn debug lines on, and the next one off again. Windows has no such signal.
 * @param onTurned called with the level that holds from now on
 */
export function turnBySignal(
  logger: Logger,
  configured: LogLevel,
  onTurned: (level: LogLevel | null) => void = () => {},
): void {
  if (process.platform === "win32") return;
  process.on("SIGUSR2", () => {
    const level = logger.level === "debug" ? null : "debug";
    applyLevel(logger, configured, level);
    onTurned(level);
  });
}
