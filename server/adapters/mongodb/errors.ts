import {
  MongoBulkWriteError,
  MongoErrorLabel,
  MongoClientClosedError,
  MongoExpiredSessionError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoOperationTimeoutError,
  MongoServerClosedError,
  MongoServerError,
  MongoStalePrimaryError,
  MongoSystemError,
  MongoTopologyClosedError,
  MongoWriteConcernError,
} from "mongodb";
import { within } from "@/server/async/timeout";
import { DocumentsUnavailableError } from "@/server/domain/unavailable";

const DUPLICATE_KEY = 11000;

/** Longer than anything takes whose parts are all in time: the driver promises no end to all of its waits. */
const LONGEST_MS = 120_000;

/** Errors of the driver that tell of the way to the server. MongoSystemError includes a failed server selection. */
const OUTAGE_CLASSES = [
  MongoNetworkError,
  MongoSystemError,
  MongoNotConnectedError,
  MongoTopologyClosedError,
  MongoServerClosedError,
  MongoClientClosedError,
  MongoExpiredSessionError,
  MongoOperationTimeoutError,
  MongoStalePrimaryError,
  MongoWriteConcernError,
] as const;

/** The driver keeps these classes to itself. */
const OUTAGE_NAMES = new Set(["MongoPoolClosedError", "MongoWaitQueueTimeoutError"]);

const OUTAGE_LABELS = [
  MongoErrorLabel.RetryableWriteError,
  MongoErrorLabel.RetryableError,
  MongoErrorLabel.SystemOverloadedError,
];

/** Codes of MongoDB's error_codes.yml after which the same command may work later. */
const OUTAGE_CODES = new Set([
  6, // HostUnreachable
  7, // HostNotFound
  13, // Unauthorized: a role being granted
  18, // AuthenticationFailed: a password being rotated
  24, // LockTimeout
  43, // CursorNotFound: the server was restarted between two parts of an answer
  46, // LockBusy
  50, // MaxTimeMSExpired
  63, // StaleShardVersion
  64, // WriteConcernTimeout
  79, // UnknownReplWriteConcern
  89, // NetworkTimeout
  91, // ShutdownInProgress
  94, // NotYetInitialized
  100, // UnsatisfiableWriteConcern
  112, // WriteConflict
  133, // FailedToSatisfyReadPreference
  134, // ReadConcernMajorityNotAvailableYet
  150, // StaleEpoch
  189, // PrimarySteppedDown
  202, // NetworkInterfaceExceededTimeLimit
  211, // KeyNotFound: signing keys during an election
  237, // CursorKilled
  262, // ExceededTimeLimit
  365, // TemporarilyUnavailable
  391, // ReauthenticationRequired
  462, // IngressRequestRateLimitExceeded
  8000, // sign-in refused by a hosted MongoDB
  9001, // SocketException
  10058, // LegacyNotPrimary
  10107, // NotWritablePrimary
  11600, // InterruptedAtShutdown
  11601, // Interrupted
  11602, // InterruptedDueToReplStateChange
  13388, // StaleConfig
  13435, // NotPrimaryNoSecondaryOk
  13436, // NotPrimaryOrSecondary
  14031, // OutOfDiskSpace
]);

/** Codes of Node's own network and name errors, which a mongodb+srv URI meets before the driver does. */
const OUTAGE_ERRNOS = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "ETIMEOUT",
  "ENOTFOUND",
  "ENODATA",
  "ESERVFAIL",
  "EREFUSED",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
]);

/** True if `error` means that MongoDB can't be reached or refuses for now. */
function isOutage(error: unknown): boolean {
  if (error instanceof DocumentsUnavailableError) return true;
  if (!(error instanceof Error)) return false;
  if (error instanceof MongoBulkWriteError) return isBulkOutage(error);
  if (OUTAGE_CLASSES.some((outage) => error instanceof outage) || OUTAGE_NAMES.has(error.name)) return true;
  if (hasOutageLabel(error)) return true;
  const { code } = error as { code?: unknown };
  if (error instanceof MongoServerError) return isOutageCode(code);
  return typeof code === "string" && OUTAGE_ERRNOS.has(code);
}

/** The error a port promises: DocumentsUnavailableError for an outage, everything else as it is. */
export function documentsError(error: unknown): unknown {
  if (error instanceof DocumentsUnavailableError || !isOutage(error)) return error;
  return new DocumentsUnavailableError(`MongoDB can't be reached or refuses for now: ${(error as Error).message}`, {
    cause: error,
  });
}

/** Runs `work`, turning outages into DocumentsUnavailableError. */
export async function withDocumentErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    const late = () => new DocumentsUnavailableError(`MongoDB's driver gave no answer in ${LONGEST_MS / 1000} s`);
    return await within(LONGEST_MS, work(), late);
  } catch (error) {
    throw documentsError(error);
  }
}

/** True if a bulk write did all it was asked for, except for documents that were there already, and is durable. */
export function onlyDuplicates(error: unknown): boolean {
  if (!(error instanceof MongoBulkWriteError) || wholeFailure(error) !== null) return false;
  if (error.result.getWriteConcernError() !== undefined) return false;
  const errors = writeErrors(error);
  return errors.length > 0 && errors.every(({ code }) => code === DUPLICATE_KEY);
}

function isBulkOutage(error: MongoBulkWriteError): boolean {
  const whole = wholeFailure(error);
  if (whole !== null) return isOutage(whole);
  if (hasOutageLabel(error)) return true;
  const others = writeErrors(error).filter(({ code }) => code !== DUPLICATE_KEY);
  if (others.length > 0) return others.every(({ code }) => isOutageCode(code));
  // Written, but not known to be durable: it has to be done again. Else the server refused the command as a whole.
  return (
    error.result.getWriteConcernError() !== undefined ||
    (others.length === writeErrors(error).length && isOutageCode(error.code))
  );
}

/** A bulk write wraps what failed on the way to the server, and keeps it only as "response"; of a refusal only the code. */
function wholeFailure(error: MongoBulkWriteError): Error | null {
  const response: unknown = error.errorResponse;
  return response instanceof Error ? response : null;
}

function writeErrors(error: MongoBulkWriteError) {
  return [error.writeErrors].flat();
}

function hasOutageLabel(error: Error): boolean {
  const labelled = error as { hasErrorLabel?: (label: string) => boolean };
  return OUTAGE_LABELS.some((label) => labelled.hasErrorLabel?.(label) === true);
}

function isOutageCode(code: unknown): boolean {
  return OUTAGE_CODES.has(Number(code));
}
