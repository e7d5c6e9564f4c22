import { AsyncLocalStorage } from "node:async_hooks";

/** What every line has that is written for one request. */
export interface LogContext {
  readonly request_id: string;
  readonly trace_id?: string;
  readonly span_id?: string;
}

const contexts = new AsyncLocalStorage<LogContext>();

/** Runs something for a request: each line that is written in it, and in what it begins, names the request. */
export function inContext<T>(context: LogContext, run: () => T): T {
  return contexts.run(context, run);
}

/** What the lines written now have in common; undefined outside of requests. */
export function logContext(): LogContext | undefined {
  return contexts.getStore();
}
