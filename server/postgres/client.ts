import pg from "pg";
import { UnavailableError } from "@/server/domain/unavailable";
import { prepared } from "./prepared";

/** The connection to PostgreSQL was lost, not obtained in time, or gave no answer in time. */
export class DatabaseUnavailableError extends UnavailableError {
  override readonly name = "DatabaseUnavailableError";
}

/**
 * Gives an error of pg's own a class. pg tells of a lost connection and of a missed answer by a plain Error without a
 * code, which can't be told from an error in the program once it has left here.
 */
export function driverError(error: unknown): unknown {
  if (!(error instanceof Error) || error.constructor !== Error) return error;
  if ((error as { code?: unknown }).code !== undefined) return error;
  return new DatabaseUnavailableError(error.message, { cause: error });
}

/** A connection string, or what gives it anew for each connection, as a password may be changed meanwhile. */
export type ConnectionString = string | (() => string);

/** The connection string as of now. */
export function connectionStringOf(connection: ConnectionString): string {
  return typeof connection === "string" ? connection : connection();
}

type WithConnection<T> = Omit<T, "connectionString"> & {
  readonly connectionString?: ConnectionString;
  /** Each statement is a prepared one: for connections that ask the same few again and again. */
  readonly prepares?: boolean;
};

/** A pg.Client whose errors all have a code or a class. */
export class DatabaseClient extends pg.Client {
  constructor(config: WithConnection<pg.ClientConfig>) {
    const { connectionString, prepares, ...rest } = config;
    super(connectionString === undefined ? rest : { ...rest, connectionString: connectionStringOf(connectionString) });
    if (prepares) this.query = preparing(this.query.bind(this) as Call) as pg.Client["query"];
  }
  override query = classed(super.query.bind(this) as Call) as pg.Client["query"];
  override connect = classed(super.connect.bind(this) as Call) as pg.Client["connect"];
}

/** A pg.Pool whose errors all have a code or a class. */
export class DatabasePool extends pg.Pool {
  constructor(config: WithConnection<pg.PoolConfig>) {
    // The pool hands its settings to each client it makes, which then asks for the string.
    super({ ...config, Client: DatabaseClient } as unknown as pg.PoolConfig);
  }
  override connect = classed(super.connect.bind(this) as Call) as pg.Pool["connect"];
  // It listens to its client's errors itself.
  override query = classed(super.query.bind(this) as Call) as pg.Pool["query"];
}

type Call = (...args: unknown[]) => unknown;

/** What can be prepared: one statement on rows. */
const ON_ROWS = /^\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b/;

/** The call, with each statement on rows prepared. */
function preparing(call: Call): Call {
  return (query, ...rest) => {
    const config = typeof query === "string" ? { text: query } : (query as pg.QueryConfig);
    if (config.name !== undefined || typeof config.text !== "string" || !ON_ROWS.test(config.text))
      return call(query, ...rest);
    const values = Array.isArray(rest[0]) ? (rest.shift() as unknown[]) : (config.values ?? []);
    return call({ ...config, ...prepared(config.text)(values) }, ...rest);
  };
}

/** The call, with its error given a class on its way to the callback or the promise. */
function classed(call: Call): Call {
  return (...args) => {
    const callback = args.at(-1);
    if (typeof callback === "function") {
      const told: Call = (error, ...rest) => (callback as Call)(error ? driverError(error) : error, ...rest);
      return call(...args.slice(0, -1), told);
    }
    const result = call(...args);
    // A result that isn't a promise is a stream, which tells its errors itself.
    if (!(result instanceof Promise)) return result;
    return result.catch((error: unknown) => Promise.reject(driverError(error) as Error));
  };
}
