import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { InspectionError, type TroubleKind } from "@/server/ports/inspection";
import { WireReader, WireWriter } from "./inspection-wire";

/** Longest wait for a connection, and for each answer. */
const CONNECT_MS = 1500;
const ANSWER_MS = 1500;
const MOST_BYTES = 64 * 1024 * 1024;
const CLIENT_ID = "fieldwatch-health";

interface Request {
  readonly api: number;
  readonly version: number;
  /** The flexible versions have tagged fields in their headers. */
  readonly flexible?: boolean;
  /** ApiVersions answers with the old header whatever its version. */
  readonly plainAnswer?: boolean;
  readonly body: Buffer;
}

/**
 * One connection to one address, for a few requests one after the other. Health has its own instead of the client's, because
 * a client only ever says that "a broker" failed: here the address, the step and the engine's own code are certain.
 */
export interface KafkaConnection {
  readonly address: string;
  /** Milliseconds until it stood. */
  readonly connectMs: number;
  /** @throws InspectionError */
  ask(request: Request): Promise<WireReader>;
  close(): void;
}

/** Opens a socket, by TLS if it is given options for that. */
export type OpenSocket = (to: { host: string; port: number; ssl?: ConnectionOptions }) => Socket;

const openPlainly: OpenSocket = ({ host, port, ssl }) =>
  ssl
    ? connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl })
    : connectPlain({ host, port });

/**
 * Opens a connection; `ca` is given for TLS, undefined within it for the public authorities. @throws InspectionError
 * @param open given by tests.
 */
export async function openConnection(
  address: string,
  tls: { readonly ca: string | undefined } | null,
  open: OpenSocket = openPlainly,
): Promise<KafkaConnection> {
  const { host, port } = hostAndPort(address);
  const began = performance.now();
  const socket = open({ host, port, ...(tls && { ssl: tls.ca === undefined ? {} : { ca: tls.ca } }) });
  const failed = (kind: TroubleKind, code: string, cause?: unknown) =>
    new InspectionError(kind, address, code, { cause });
  let tcp = false;
  let waiting: { resolve: (answer: Buffer) => void; reject: (error: InspectionError) => void } | undefined;
  let broken: InspectionError | undefined;
  let received = Buffer.alloc(0);
  const fail = (error: InspectionError) => {
    broken ??= error;
    socket.destroy();
    waiting?.reject(broken);
    waiting = undefined;
  };
  socket.on("error", (error: NodeJS.ErrnoException) => fail(failed(...kindOf(error, tls !== null && tcp), error)));
  socket.on("close", () => fail(failed(tls && !stands ? "notTls" : "hungUp", "closed")));
  socket.once("connect", () => (tcp = true));
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    if (received.byteLength < 4) return;
    const size = received.readInt32BE(0);
    // A TLS record begins with its kind, 0x14 to 0x17, and version 3.
    if (received[0]! >= 0x14 && received[0]! <= 0x17 && received[1] === 3)
      return fail(failed("needsTls", "TLS record"));
    if (size < 4 || size > MOST_BYTES) return fail(failed("otherProtocol", "not Kafka's protocol"));
    if (received.byteLength < 4 + size) return;
    const answer = received.subarray(4, 4 + size);
    received = received.subarray(4 + size);
    waiting?.resolve(answer);
    waiting = undefined;
  });

  let stands = false;
  const answered = () => new Promise<Buffer>((resolve, reject) => (waiting = { resolve, reject }));
  const inTime = async <T>(work: Promise<T>, ms: number, kind: () => TroubleKind): Promise<T> => {
    const timer = setTimeout(() => fail(failed(kind(), `no answer within ${ms} ms`)), ms);
    try {
      return await work;
    } finally {
      clearTimeout(timer);
    }
  };
  const standing = new Promise<Buffer>((resolve, reject) => {
    waiting = { resolve, reject };
    socket.once(tls ? "secureConnect" : "connect", () => resolve(received));
  });
  await inTime(standing, CONNECT_MS, () => (tcp ? "silent" : "unreachable"));
  stands = true;
  waiting = undefined;
  const connectMs = performance.now() - began;
  let correlation = 0;

  return {
    address,
    connectMs,
    async ask({ api, version, flexible = false, plainAnswer = false, body }) {
      if (broken) throw broken;
      const head = new WireWriter().int16(api).int16(version).int32(++correlation).string(CLIENT_ID);
      if (flexible) head.noTags();
      const message = Buffer.concat([head.done(), body]);
      socket.write(new WireWriter().bytes(message).done());
      const reader = new WireReader(await inTime(answered(), ANSWER_MS, () => "silent"));
      if (reader.int32() !== correlation) {
        const error = failed("otherProtocol", "not Kafka's protocol");
        fail(error);
        throw error;
      }
      if (flexible && !plainAnswer) reader.tags();
      return reader;
    },
    close: () => void socket.destroy(),
  };
}

/** Splits "host:port" and "[::1]:9092". */
function hostAndPort(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon).replace(/^\[(.*)\]$/, "$1"), port: Number(address.slice(colon + 1)) };
}

const KINDS: Readonly<Record<string, TroubleKind>> = {
  ECONNREFUSED: "refused",
  ENOTFOUND: "unknownHost",
  EAI_AGAIN: "unknownHost",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  ETIMEDOUT: "unreachable",
  ECONNRESET: "hungUp",
  EPIPE: "hungUp",
};

/** Explains an error of a socket; `shaking` is true between a standing connection and the end of its TLS handshake. */
function kindOf(error: NodeJS.ErrnoException, shaking: boolean): [kind: TroubleKind, code: string] {
  // A name with several addresses fails with one error for each.
  const inner = error instanceof AggregateError ? (error.errors[0] as NodeJS.ErrnoException | undefined) : undefined;
  const first = inner ?? error;
  const code = first.code ?? first.name;
  if (shaking && (code === "ECONNRESET" || code === "EPROTO" || code.startsWith("ERR_SSL"))) return ["notTls", code];
  if (/CERT|SIGNED|ERR_TLS|ISSUER/.test(code)) return ["certificate", code];
  return [KINDS[code] ?? "other", code];
}
