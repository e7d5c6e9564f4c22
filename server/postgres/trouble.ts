import { command, safeText } from "@/server/domain/fix";
import { DatabaseUnavailableError } from "./client";
import { errorCode } from "./start-error";

/** The reason why PostgreSQL can't be used and what to do; commands ready to copy. */
export interface DatabaseTrouble {
  /** The point where the way to it ends: at no server, at one that isn't ready, at one that refuses this user, or at missing room. */
  readonly step: "reach" | "ready" | "signIn" | "room";
  readonly why: string;
  readonly fix: string;
}

/** Explains an error of the PostgreSQL of DATABASE_URL by its code; undefined if it is a bug or not known. Never shows the password. */
export function databaseTrouble(error: unknown, databaseUrl: string): DatabaseTrouble | undefined {
  const url = new URL(databaseUrl);
  const server = `${url.hostname || "localhost"}:${url.port || 5432}`;
  const database = decodeURIComponent(url.pathname.slice(1));
  const user = decodeURIComponent(url.username);
  const psql = safeText`psql -h ${url.hostname || "localhost"} -p ${url.port || 5432} -U ${user || "postgres"} -d postgres -c`;
  const code = errorCode(error);
  const because = (step: DatabaseTrouble["step"], why: string, fix: string) => ({ step, why, fix });
  const unset = "or unset DATABASE_URL to use the embedded PostgreSQL.";
  switch (code) {
    case "ECONNREFUSED":
      return because(
        "reach",
        `Nothing listens on ${server} (${code}).`,
        `Start that PostgreSQL, correct host and port in DATABASE_URL,\n${unset}`,
      );
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return because(
        "reach",
        `The host ${url.hostname} isn't known (${code}).`,
        `Correct the host in DATABASE_URL, ${unset}`,
      );
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return because(
        "reach",
        `${server} doesn't answer (${code}).`,
        `Check the way there (address, firewall), ${unset}`,
      );
    case "ECONNRESET":
    case "EPIPE":
      return because(
        "reach",
        `${server} broke the connection (${code}): PostgreSQL was stopped, or something between closes connections.`,
        "Wait until it is back; if it stays so, read PostgreSQL's log.",
      );
    case "28P01":
    case "28000":
      return because(
        "signIn",
        `${server} refuses the user ${user || "(none)"} (${code}).`,
        "Correct user and password in DATABASE_URL; in a password, write @ : / ? # % as %40 %3A %2F %3F %23 %25.\n" +
          "If they are right, pg_hba.conf of that server doesn't let this machine in.",
      );
    case "3D000":
      return because(
        "signIn",
        `${server} has no database "${database}" (${code}).`,
        `Make it: ${command`${psql} 'CREATE DATABASE "${database}"'`}`,
      );
    case "42501":
      return because(
        "signIn",
        `The user ${user} may not make tables in "${database}" (42501).`,
        `As its administrator: ${command`GRANT ALL ON DATABASE "${database}" TO "${user}"; GRANT ALL ON SCHEMA public TO "${user}";`}`,
      );
    case "53300":
      return because(
        "room",
        `${server} has no connection left (53300).`,
        `Raise max_connections there, or lower DATABASE_POOL_SIZE. To see who holds them:\n${command`${psql} 'SELECT application_name, count(*) FROM pg_stat_activity GROUP BY 1 ORDER BY 2 DESC'`}`,
      );
    case "53100":
      return because(
        "room",
        `The disk of ${server} is full (53100).`,
        "Free space on it, or lower READINGS_RETENTION_DAYS and restart Fieldwatch.",
      );
    case "57P01":
    case "57P02":
    case "57P03":
      return because("ready", `${server} is starting up or shutting down (${code}).`, "Try again when it is ready.");
    case undefined:
      break;
    default:
      if (!code.startsWith("ERR_TLS") && !/CERT|SIGNED/.test(code)) return undefined;
      return because(
        "reach",
        `The certificate of ${server} isn't trusted (${code}).`,
        "Name its authority: add sslrootcert=/path/to/ca.pem to DATABASE_URL.",
      );
  }
  // The driver's own errors have no code: no TLS there, no PostgreSQL there, or no answer in time.
  if (!(error instanceof DatabaseUnavailableError)) return undefined;
  return because(
    "reach",
    `${server}: ${error.message}.`,
    `Check that a PostgreSQL 15 or later answers there, and DATABASE_URL's sslmode, ${unset}`,
  );
}
