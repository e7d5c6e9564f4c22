/** One field of a log line. */
export interface LogField {
  readonly type: "text" | "number" | "time" | "object";
  /** When a line has it. */
  readonly when: string;
  readonly about: string;
  /** Its name with LOG_FORMAT=ecs. */
  readonly ecs: string;
}

/** Every field that a line may have, by its name with LOG_FORMAT=json. A name, once here, keeps its type and meaning. */
export const LOG_FIELDS = {
  level: {
    type: "text",
    when: "always",
    about: "How severe it is: trace, debug, info, warn, error or fatal.",
    ecs: "log.level",
  },
  time: {
    type: "time",
    when: "always",
    about: "When it was written: UTC, ISO 8601, with milliseconds.",
    ecs: "@timestamp",
  },
  role: {
    type: "text",
    when: "always",
    about: "Which part of Fieldwatch wrote it: supervisor, web, worker, intake, simulator, or a command.",
    ecs: "service.node.roles",
  },
  pid: { type: "number", when: "always", about: "The process that wrote it.", ecs: "process.pid" },
  msg: {
    type: "text",
    when: "always",
    about: "What happened, in words. What differs from time to time is in details, where it can be.",
    ecs: "message",
  },
  request_id: {
    type: "text",
    when: "while a request is answered",
    about:
      "The request's id, which its answer names as `x-request-id`: the sender's own, if it sent one of up to 64 letters, digits, `-`, `_` and `.`.",
    ecs: "http.request.id",
  },
  trace_id: {
    type: "text",
    when: "of a request that is traced, or names a trace; of a batch with messages of one trace",
    about: "The trace, by W3C Trace Context: 32 hexadecimal digits.",
    ecs: "trace.id",
  },
  span_id: {
    type: "text",
    when: "as trace_id",
    about: "The step of the trace: 16 hexadecimal digits.",
    ecs: "span.id",
  },
  "error.type": { type: "text", when: "with an error", about: "The error's class.", ecs: "error.type" },
  "error.code": {
    type: "text",
    when: "with an error that has one",
    about: "The code of the engine or the system: an SQLSTATE, ECONNREFUSED, the name of a problem.",
    ecs: "error.code",
  },
  "error.message": {
    type: "text",
    when: "with an error",
    about: "What it says, without the values it quotes; up to 2,000 characters.",
    ecs: "error.message",
  },
  "error.stack": { type: "text", when: "with an error", about: "Where it came from.", ecs: "error.stack_trace" },
  repeats: {
    type: "number",
    when: "where lines were held back",
    about: "How many more lines like this one were not written.",
    ecs: "fieldwatch.repeats",
  },
  details: {
    type: "object",
    when: "where there are any",
    about: "Particulars of this kind of line; their names go by what it tells.",
    ecs: "fieldwatch.details",
  },
} as const satisfies Record<string, LogField>;
