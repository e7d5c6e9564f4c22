/** The reason why a whole request was not taken; nothing of it is in the log. */
export type IngestRefusal =
  | "empty-request"
  | "unreadable-body"
  | "too-many-messages"
  | "body-too-large"
  | "nothing-accepted"
  | "not-allowed"
  | "too-many-new"
  | "too-fast"
  | "too-busy";

/** Thrown when a whole request can't be taken. The sender mends it, or sends it again after `retryAfterSeconds`. */
export class IngestRefusedError extends Error {
  override readonly name = "IngestRefusedError";
  constructor(
    readonly kind: IngestRefusal,
    readonly detail: string,
    readonly more: { readonly retryAfterSeconds?: number; readonly members?: Record<string, unknown> } = {},
  ) {
    super(`${kind}: ${detail}`);
  }
}
