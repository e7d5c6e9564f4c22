import { type Config, ConfigError } from "@/server/config/config";
import { errorCode, StartError } from "@/server/database/start-error";

/** Exit code of a process that has told its user why it can't run: starting it again would not help. */
export const EXIT_EXPLAINED = 78;

/** Exit code of a supervised role that couldn't start because an engine is away: to be started again, without end. */
export const EXIT_TEMPORARY = 75;

/** What `error` means for the person who started Fieldwatch; undefined if it is a bug or not known. */
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

/** Why the dashboard's port can't be had. */
export function explainListen(error: unknown, config: Config): StartError | undefined {
  const { HOST, PORT } = config.server;
  switch (errorCode(error)) {
    case "EADDRINUSE":
      return new StartError(
        `Port ${PORT} is taken`,
        `Another program listens on ${HOST}:${PORT}, maybe another Fieldwatch.`,
        `Stop it, or take another port: PORT=${PORT + 1} npm start`,
        { cause: error },
      );
    case "EACCES":
      return new StartError(
        `Port ${PORT} is not allowed`,
        `This user may not listen on ${HOST}:${PORT}; ports below 1024 are the administrator's.`,
        "Take another port: PORT=3000 npm start",
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

/** Why the PostgreSQL of DATABASE_URL can't be used, by the error's code. Never shows the password. */
export function explainDatabase(error: unknown, databaseUrl: string): StartError | undefined {
  const url = new URL(databaseUrl);
  const server = `${url.hostname || "localhost"}:${url.port || 5432}`;
  const database = decodeURIComponent(url.pathname.slice(1));
  const user = decodeURIComponent(url.username);
  const code = errorCode(error);
  const because = (why: string, fix: string) =>
    new StartError("The PostgreSQL of DATABASE_URL can't be used", why, fix, { cause: error });
  const unset = "or unset DATABASE_URL to use the embedded PostgreSQL.";
  switch (code) {
    case "ECONNREFUSED":
      return because(
        `Nothing listens on ${server}.`,
        `Start that PostgreSQL, correct host and port in DATABASE_URL,\n${unset}`,
      );
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return because(`The host ${url.hostname} isn't known (${code}).`, `Correct the host in DATABASE_URL, ${unset}`);
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return because(`${server} doesn't answer (${code}).`, `Check the way there (address, firewall), ${unset}`);
    case "28P01":
    case "28000":
      return because(
        `${server} refuses the user ${user || "(none)"} (${code}).`,
        "Correct user and password in DATABASE_URL; in a password, write @ : / ? # % as %40 %3A %2F %3F %23 %25.\n" +
          "If they are right, pg_hba.conf of that server doesn't let this machine in.",
      );
    case "3D000":
      return because(
        `${server} has no database "${database}".`,
        `Make it: psql -h ${url.hostname} -p ${url.port || 5432} -U ${user} -d postgres -c 'CREATE DATABASE "${database}"'`,
      );
    case "42501":
      return because(
        `The user ${user} may not make tables in "${database}" (42501).`,
        `As its administrator: GRANT ALL ON DATABASE "${database}" TO "${user}"; GRANT ALL ON SCHEMA public TO "${user}";`,
      );
    case "53300":
      return because(
        `${server} has no connection left (53300).`,
        "Raise max_connections there, or lower DATABASE_POOL_SIZE.",
      );
    case "57P03":
      return because(`${server} is starting up or shutting down (57P03).`, "Try again when it is ready.");
    case undefined:
      break;
    default:
      if (!code.startsWith("ERR_TLS") && !/CERT|SIGNED/.test(code)) return undefined;
      return because(
        `The certificate of ${server} isn't trusted (${code}).`,
        "Name its authority: add sslrootcert=/path/to/ca.pem to DATABASE_URL.",
      );
  }
  // pg's own errors have no code: no TLS there, no PostgreSQL there, or no answer in time.
  if (!(error instanceof Error) || error.constructor !== Error) return undefined;
  return because(
    `${server}: ${error.message}.`,
    `Check that a PostgreSQL 15 or later answers there, and DATABASE_URL's sslmode, ${unset}`,
  );
}

/** The one-screen message of a StartError. */
export function formatStartError(error: StartError): string {
  const indent = (text: string) => text.replace(/^(?=.)/gm, "  ");
  return `\n  Fieldwatch can't run: ${error.what}\n\n${indent(error.why)}\n\n  How to fix it:\n${indent(indent(error.fix))}\n\n`;
}
