import { type Config, ConfigError } from "@/server/config/config";
import { databaseTrouble } from "@/server/postgres/trouble";
import { errorCode, StartError } from "@/server/postgres/start-error";
import { command, plainFix } from "@/server/domain/fix";

/** Exit code of a process that has told its user why it can't run: starting it again would not help. */
export const EXIT_EXPLAINED = 78;

/** Exit code of a supervised role that couldn't start because an engine is away: to be started again, without end. */
export const EXIT_TEMPORARY = 75;

/** Explains `error` to the person who started Fieldwatch; undefined if it is a bug or not known. */
export function explain(error: unknown, config?: Config): StartError | undefined {
  if (error instanceof StartError) return error;
  if (error instanceof ConfigError) {
    const [what = "", ...why] = error.message.split("\n");
    return new StartError(
      what.replace(/:$/, ""),
      why.join("\n"),
      "Correct it in the environment or in .env. All variables are in .env.example.",
      { cause: error },
    );
  }
  if (!config) return undefined;
  const { syscall } = error as { syscall?: unknown };
  if (syscall === "listen" || syscall === "bind") return explainListen(error, config);
  if (config.engines.DATABASE_URL !== undefined) return explainDatabase(error, config.engines.DATABASE_URL);
  return undefined;
}

/** Explains why the dashboard's port can't be had. */
export function explainListen(error: unknown, config: Config): StartError | undefined {
  const { HOST, PORT } = config.server;
  switch (errorCode(error)) {
    case "EADDRINUSE":
      return new StartError(
        `Port ${PORT} is taken`,
        `Another program listens on ${HOST}:${PORT}, maybe another Fieldwatch.`,
        `Stop it, or take another port: ${command`PORT=${PORT + 1} npm start`}`,
        { cause: error },
      );
    case "EACCES":
      return new StartError(
        `Port ${PORT} is not allowed`,
        `This user may not listen on ${HOST}:${PORT}; ports below 1024 are the administrator's.`,
        "Take another port: `PORT=3000 npm start`",
        { cause: error },
      );
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EINVAL":
      return new StartError(
        `HOST=${HOST} is not an address of this machine`,
        `Listening on it failed (${errorCode(error)}).`,
        "Leave HOST out for this machine only, or set it to 0.0.0.0 for all its addresses.",
        { cause: error },
      );
    default:
      return undefined;
  }
}

/** Explains why the PostgreSQL of DATABASE_URL can't be used, by the error's code. Never shows the password. */
function explainDatabase(error: unknown, databaseUrl: string): StartError | undefined {
  const known = databaseTrouble(error, databaseUrl);
  return (
    known && new StartError("The PostgreSQL of DATABASE_URL can't be used", known.why, known.fix, { cause: error })
  );
}

/** The one-screen message of a StartError. */
export function formatStartError(error: StartError): string {
  const indent = (text: string) => text.replace(/^(?=.)/gm, "  ");
  return `\n  Fieldwatch can't run: ${error.what}\n\n${indent(error.why)}\n\n  How to fix it:\n${indent(indent(plainFix(error.fix)))}\n\n`;
}
