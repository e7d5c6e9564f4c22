import { AsyncLocalStorage } from "node:async_hooks";

/** What every line has that is written for one request, or for one batch of messages. */
export interface LogContext {
  readonly request_id?: string;
  readonly trace_id?: string;
  readonly span_id?: string;
}

/** What every line of a request has. */
export interface RequestContext extends LogContext {
  readonly request_id: string;
}

const contexts = new AsyncLocalStorage<LogContext>();

/** Runs something for a request or a batch: each line that is written in it, and in what it begins, names that. */
export function inContext<T>(context: LogContext, run: () => T): T {
  return contexts.run(context, run);
}

/** What the lines written now have in common; undefined outside of both. */
export function logContext(): LogContext | undefined {
  return contexts.getStore();
}
