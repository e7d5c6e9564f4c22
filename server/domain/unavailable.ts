/**
 * An engine can't be reached or refuses for now; the same call may work later. Adapters turn an outage of their engine,
 * known by its code, into one of these; callers pause and retry.
 */
export class UnavailableError extends Error {
  override readonly name: string = "UnavailableError";
}

/** The store of messages, twins and dead letters is away. */
export class DocumentsUnavailableError extends UnavailableError {
  override readonly name = "DocumentsUnavailableError";
}
