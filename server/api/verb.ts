import { z } from "zod";
import type { Personal } from "@/server/access/audit/personal";
import type { Permission } from "@/server/domain/access";
import type { Context, WritingContext } from "@/server/postgres/context";
import type { ProblemKind } from "./problem";

/** Whom a verb answers: everybody, whoever is signed in, or those who hold the permission. */
export type Access = "public" | "signed-in" | Permission;

/** Where a browser is sent. */
export const elsewhere = z.object({ location: z.string() });

/** The public description of a verb; routes, parsing and the OpenAPI document are made from it. */
export interface Operation<
  P extends z.ZodObject = z.ZodObject,
  Q extends z.ZodObject = z.ZodObject,
  A extends z.ZodType = z.ZodType,
> {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** OpenAPI form: /api/v1/devices/{id}. */
  readonly path: string;
  /** Whom it answers. There is no default: what is not said can't be forgotten. */
  readonly access: Access;
  /**
   * True for a verb that goes by `ctx.sites`: it answers also who holds the permission at some sites alone. Without it the
   * permission must be held everywhere, and the context's sites are all.
   */
  readonly bySite?: true;
  /**
   * How the audit record tells of a verb that writes nothing to PostgreSQL by itself: seen is told before it is shown,
   * changed before it is tried and again with its outcome. What writes to PostgreSQL is always in there, with its change.
   */
  readonly audited?: "seen" | "changed";
  /** True if people must have proven who they are within the last minutes: what it does outlives their session. */
  readonly stepUp?: true;
  /** True for a door of sources: the key may be where senders can say it, a cookie is nobody's, and the query is the sender's own. */
  readonly door?: true;
  readonly summary: string;
  readonly description?: string;
  readonly params: P;
  readonly query: Q;
  readonly answer: A;
  /** Status of the good answer; with 303 it is {@link elsewhere}. */
  readonly status: 200 | 202 | 303;
  /** Problems it can answer with besides invalid-parameters, internal and the unavailable ones. */
  readonly problems: readonly ProblemKind[];
  /** Given when the good answer is not JSON but a file, a {@link FileAnswer}. */
  readonly file?: { readonly contentType: string; readonly schema: object };
  /** Bodies it takes, by content type, as JSON Schema. */
  readonly bodies?: Readonly<Record<string, object>>;
}

/** What a verb says of one call for the audit record. */
export interface Noted {
  /** What it is done to; left out: the path's parameters. */
  readonly target?: string | Personal;
  /** What was there before and is there now, or what was asked for: never a secret, and what is of people as Personal. */
  readonly detail?: object;
}

type Handle<C, P extends z.ZodObject, Q extends z.ZodObject, A extends z.ZodType> = (
  ctx: C,
  call: Call<P, Q>,
) => Promise<z.input<A>>;

/** The arguments of one call of a verb: everything already parsed, and the request for verbs that read its body. */
interface Call<P extends z.ZodObject, Q extends z.ZodObject> {
  readonly params: z.output<P>;
  readonly query: z.output<Q>;
  readonly request: Request;
  /** Further headers of the good answer. */
  readonly headers: Headers;
  readonly note: (deed: Noted) => void;
  /** Notes it, and tells in the record that it is tried: called by verbs whose change isn't in PostgreSQL, before they change anything. */
  readonly attempt: (deed: Noted) => Promise<void>;
}

/** One verb: what it is, and how it is made from what it depends on. */
export interface Verb<
  Deps,
  P extends z.ZodObject = z.ZodObject,
  Q extends z.ZodObject = z.ZodObject,
  A extends z.ZodType = z.ZodType,
> {
  readonly operation: Operation<P, Q, A>;
  /** Its context's `tx` is a transaction, committed when the verb resolves and rolled back when it throws. */
  readonly writes: boolean;
  readonly create: (deps: Deps) => Handle<never, P, Q, A>;
}

/** An answer to be saved under a name: its text in pieces, made as fast as they are taken. */
export interface FileAnswer {
  readonly name: string;
  readonly text: AsyncGenerator<string>;
}

export const fileAnswer = z.custom<FileAnswer>();

export const NO_PARAMETERS = z.object({});

/** Defines a verb that reads PostgreSQL, or doesn't use it; what it writes elsewhere must be harmless when repeated. */
export function verb<Deps, P extends z.ZodObject, Q extends z.ZodObject, A extends z.ZodType>(
  operation: Operation<P, Q, A>,
  create: (deps: Deps) => Handle<Context, P, Q, A>,
): Verb<Deps, P, Q, A> {
  return { operation, writes: false, create };
}

/** Defines a verb that writes to PostgreSQL, all of it in the context's one transaction. */
export function writingVerb<Deps, P extends z.ZodObject, Q extends z.ZodObject, A extends z.ZodType>(
  operation: Operation<P, Q, A>,
  create: (deps: Deps) => Handle<WritingContext, P, Q, A>,
): Verb<Deps, P, Q, A> {
  return { operation, writes: true, create };
}
