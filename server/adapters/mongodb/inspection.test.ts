import { MongoCompatibilityError, MongoNetworkError, MongoOperationTimeoutError, MongoServerError } from "mongodb";
import { expect, test } from "vitest";
import { toInspectionError } from "./inspection";

const server = (code: number, codeName: string) => new MongoServerError({ message: "refused", code, codeName });
const network = (code: string) =>
  new MongoNetworkError("connect", { cause: Object.assign(new Error("connect"), { code }) });

// The MongoDB-wire servers of the tests can't do most of these: TLS, replica sets.
test.each([
  [server(18, "AuthenticationFailed"), "ana", "signInRefused", "AuthenticationFailed, 18"],
  [server(8000, "AtlasError"), "ana", "signInRefused", "AtlasError, 8000"],
  [server(13, "Unauthorized"), null, "signInNeeded", "Unauthorized, 13"],
  [server(13, "Unauthorized"), "ana", "forbidden", "Unauthorized, 13"],
  [server(10107, "NotWritablePrimary"), "ana", "starting", "NotWritablePrimary, 10107"],
  [server(11602, "InterruptedDueToReplStateChange"), "ana", "other", "InterruptedDueToReplStateChange, 11602"],
  [network("ECONNREFUSED"), "ana", "refused", "ECONNREFUSED"],
  [network("ECONNRESET"), "ana", "hungUp", "ECONNRESET"],
  [network("SELF_SIGNED_CERT_IN_CHAIN"), "ana", "certificate", "SELF_SIGNED_CERT_IN_CHAIN"],
  [network("ERR_TLS_CERT_ALTNAME_INVALID"), "ana", "certificate", "ERR_TLS_CERT_ALTNAME_INVALID"],
  [network("ERR_SSL_WRONG_VERSION_NUMBER"), "ana", "notTls", "ERR_SSL_WRONG_VERSION_NUMBER"],
  [new MongoCompatibilityError("wire version"), "ana", "tooOld", "MongoCompatibilityError"],
  [new MongoOperationTimeoutError("late"), "ana", "silent", "no answer within 3500 ms"],
])("%s for user %s is %s", (error, user, kind, code) => {
  expect(toInspectionError(error, "mongo:27017", user, undefined)).toMatchObject({
    kind,
    code,
    address: "mongo:27017",
  });
});

test("a bug stays what it is", () => {
  const bug = new TypeError("x is not a function");
  expect(toInspectionError(bug, "mongo:27017", null, undefined)).toBe(bug);
});
