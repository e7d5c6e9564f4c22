/** Something the caller has to correct; the message says what and how. */
export class ReplayUsageError extends Error {
  override readonly name = "ReplayUsageError";
}
