import { z } from "zod";
import { problem } from "@/server/contracts/common";
import { rejectedItem, rejectedMore } from "@/server/contracts/telemetry";
import { MESSAGE_SCHEMA } from "./telemetry/message-schema";
import { type ProblemKind, PROBLEMS } from "./problem";
import type { Protocol } from "./source-doors/protocol";
import type { Operation } from "./verb";

/** Problems of addresses that don't answer everybody. */
const SIGNED_IN: readonly ProblemKind[] = ["not-signed-in", "not-allowed"];

/** How a caller says who it is. */
const SECURITY_SCHEMES = {
  key: { type: "http", scheme: "bearer", description: "A key, as made on the page Keys or by `npm run key`" },
  session: {
    type: "apiKey",
    in: "cookie",
    name: "__Host-fieldwatch",
    description: "Set by signing in; over plain http its name is fieldwatch-<port>",
  },
} as const;

/** Where a key of a source may stand too, at doors of sources and nowhere else. */
const DOOR_SCHEMES = {
  token: { type: "apiKey", in: "header", name: "Authorization", description: "The key of a source, as `Token …`" },
  password: { type: "http", scheme: "basic", description: "The key of a source as password; the name is anything" },
  header: { type: "apiKey", in: "header", name: "X-Api-Key", description: "The key of a source" },
  parameter: {
    ...{ type: "apiKey", in: "query", name: "key" },
    description: "The key of a source, for senders that can say it nowhere else; never told in logs",
  },
} as const;
const DOOR_SECURITY = ["key", ...Object.keys(DOOR_SCHEMES)].map((scheme) => ({ [scheme]: [] }));
/** Methods by which a source's own door takes deliveries. */
const DOOR_METHODS = ["post", "put", "patch", "get"];

/** Problems any address can answer with. */
const ALWAYS: readonly ProblemKind[] = [
  ...([
    "foreign-host",
    "internal",
    "database-unavailable",
    "audit-unavailable",
    "disk-full",
    "starting-or-stopping",
  ] as const),
];

/** The OpenAPI 3.1 document of these verbs, made from the schemas they parse and answer with, and of the protocols of others. */
export function createOpenApi(
  verbs: Iterable<{ readonly operation: Operation }>,
  protocols: readonly Protocol[],
  version: string,
): Record<string, unknown> {
  const components = createComponents();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { operation } of verbs) {
    const described = describeOperation(operation, components);
    for (const method of operation.door ? DOOR_METHODS : [operation.method.toLowerCase()]) {
      const { requestBody: _, ...bodiless } = described;
      (paths[operation.path] ??= {})[method] = operation.door && method === "get" ? bodiless : described;
    }
  }
  for (const protocol of protocols)
    (paths[protocol.path] ??= {})[protocol.method.toLowerCase()] = describeProtocol(protocol);
  // Settles the problems' schema even if no verb used it.
  components.refer(problem);
  return {
    openapi: "3.1.0",
    info: {
      title: "Fieldwatch",
      version,
      description:
        "Telemetry in; devices, readings, the pipeline and its health out. Errors are RFC 9457 problem details.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    paths,
    components: {
      schemas: { Message: MESSAGE_SCHEMA, ...components.schemas },
      securitySchemes: { ...SECURITY_SCHEMES, ...DOOR_SCHEMES },
    },
  };
}

interface Components {
  readonly schemas: Record<string, object>;
  /** The schema in JSON Schema, with everything that has a name put under components. */
  refer(schema: z.ZodType): object;
  /** An object's properties as they are given, with everything that has a name put under components. */
  inline(schema: z.ZodObject): { properties?: Record<string, object>; required?: string[] };
}

function createComponents(): Components {
  const schemas: Record<string, object> = {};
  function convert(schema: z.ZodType, io: "input" | "output"): Record<string, unknown> {
    const { $schema: _, $defs = {}, ...root } = withRefs(z.toJSONSchema(schema, { io, unrepresentable: "any" }));
    for (const [name, definition] of Object.entries($defs as Record<string, object>))
      schemas[name] ??= withoutId(definition);
    return withoutId(root) as Record<string, unknown>;
  }
  return {
    schemas,
    inline: (schema) => convert(schema, "input"),
    refer(schema) {
      const root = convert(schema, "output");
      const id = schema.meta()?.id;
      if (id === undefined) return root;
      schemas[id] ??= root;
      return { $ref: `#/components/schemas/${id}` };
    },
  };
}

function withRefs(schema: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')) as Record<
    string,
    unknown
  >;
}

function withoutId(schema: object): object {
  const { id: _, $id: __, ...rest } = schema as { id?: unknown; $id?: unknown };
  return rest;
}

function describeOperation(operation: Operation, components: Components): Record<string, unknown> {
  const { summary, description, params, query, status, problems, bodies, access, stepUp, door } = operation;
  const isOpen = access === "public";
  const hasParameters = Object.keys({ ...params.shape, ...query.shape }).length > 0;
  return {
    summary,
    ...(description === undefined ? {} : { description }),
    security: isOpen ? [] : door ? DOOR_SECURITY : [{ key: [] }, { session: [] }],
    "x-permission": access,
    ...(stepUp && { "x-step-up": true }),
    parameters: [...parameters("path", params, components), ...parameters("query", query, components)],
    ...(bodies === undefined ? {} : { requestBody: requestBody(bodies) }),
    responses: {
      [status]: { description: summary, ...goodAnswer(operation, components) },
      ...problemResponses(
        [
          ...problems,
          ...(isOpen ? [] : SIGNED_IN),
          ...(stepUp ? (["step-up"] as const) : []),
          ...(operation.method === "GET" ? [] : (["foreign-origin"] as const)),
          ...(bodies === undefined ? [] : (["too-slow"] as const)),
          ...(hasParameters ? (["invalid-parameters"] as const) : []),
          ...ALWAYS,
        ],
        components,
      ),
    },
  };
}

/** What a protocol of others can be answered with when it goes wrong, in the protocol's own words. */
const TROUBLES: Readonly<Record<number, string>> = {
  400: "What wasn't taken, by its place; all else was",
  401: "There is no such key",
  403: "The key is no source's, or its source is disabled",
  413: "Larger than is taken at once: send less at a time",
  415: "Packed in a way that isn't known",
  429: "Too fast, or too much at once: try again after Retry-After",
  500: "A fault of this server",
  503: "The event log is away: send the same again after Retry-After",
};

function describeProtocol({ summary, takes, good, bodies, query = {} }: Protocol): object {
  const content = Object.entries(bodies ?? {}).map(([type, description]) => [
    type,
    { schema: { type: "string", format: "binary", description } },
  ]);
  const troubles = Object.entries(TROUBLES).map(([status, description]) => [status, { description }]);
  return {
    ...{ summary, security: takes ? DOOR_SECURITY : [] },
    parameters: Object.entries(query).map(([name, description]) => ({
      ...{ name, in: "query", required: false, description, schema: { type: "string" } },
    })),
    ...(bodies !== undefined && { requestBody: { required: true, content: Object.fromEntries(content) as object } }),
    responses: {
      [good.status]: { description: good.description },
      ...(takes ? (Object.fromEntries(troubles) as object) : { 500: { description: TROUBLES[500] } }),
    },
  };
}

function goodAnswer({ file, status, answer }: Operation, components: Components): object {
  if (status === 303) return { headers: { Location: { description: "Where to go", schema: { type: "string" } } } };
  return {
    content: file
      ? { [file.contentType]: { schema: file.schema } }
      : { "application/json": { schema: components.refer(answer) } },
  };
}

function parameters(place: "path" | "query", schema: z.ZodObject, components: Components): object[] {
  const { properties = {}, required = [] } = components.inline(schema);
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = property as { description?: string };
    const described = description === undefined ? {} : { description };
    return { name, in: place, required: place === "path" || required.includes(name), ...described, schema: rest };
  });
}

function requestBody(bodies: Readonly<Record<string, object>>): object {
  const content = Object.fromEntries(
    Object.entries(bodies).map(([type, schema]) => [type, { schema: namedMessage(schema) }]),
  );
  return { required: true, content };
}

function namedMessage(schema: object): object {
  return JSON.parse(
    JSON.stringify(schema).replaceAll(JSON.stringify(MESSAGE_SCHEMA), '{"$ref":"#/components/schemas/Message"}'),
  ) as object;
}

function problemResponses(kinds: readonly ProblemKind[], components: Components): Record<string, object> {
  const byStatus = new Map<number, ProblemKind[]>();
  for (const kind of new Set(kinds))
    byStatus.set(PROBLEMS[kind].status, [...(byStatus.get(PROBLEMS[kind].status) ?? []), kind]);
  return Object.fromEntries(
    [...byStatus]
      .sort(([a], [b]) => a - b)
      .map(([status, named]) => {
        const schema = {
          allOf: [
            components.refer(problem),
            { properties: { type: { enum: named.map((kind) => `/problems/${kind}`) } } },
          ],
          ...(named.includes("nothing-accepted")
            ? {
                properties: {
                  rejected: { type: "array", items: components.refer(rejectedItem) },
                  rejectedMore: components.refer(rejectedMore),
                },
              }
            : {}),
        };
        const headers =
          status === 429 || status === 503
            ? { "Retry-After": { description: "Seconds to wait", schema: { type: "integer" } } }
            : undefined;
        const description = named.map((kind) => PROBLEMS[kind].title).join(" · ");
        return [
          status,
          { description, ...(headers ? { headers } : {}), content: { "application/problem+json": { schema } } },
        ];
      }),
  );
}
