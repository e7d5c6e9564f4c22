import { createHash } from "node:crypto";
import { AwsClient } from "aws4fetch";
import {
  ColdFileExistsError,
  ColdFileMissingError,
  type ColdFileSeen,
  type ColdStore,
  ColdUnavailableError,
} from "@/server/ports/cold-store";

export interface S3Settings {
  readonly bucket: string;
  /** Comes before every name, without slashes at its ends; may be empty. */
  readonly prefix: string;
  /** Address of S3-compatible storage, where the bucket is the path's first part. Undefined: Amazon's of the region. */
  readonly endpoint: string | undefined;
  readonly region: string;
  /** Asked for each request: a secret's file may have been replaced. */
  readonly credentials: () => { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** A request that takes longer has failed; the largest file is some 20 MB. */
const TIMEOUT_MS = 60_000;

/** Keeps files in a bucket of Amazon S3, or of storage that speaks its protocol. It needs the rights to list, get, put and delete objects. */
export function createS3ColdStore(settings: S3Settings): ColdStore {
  const { bucket, prefix, endpoint, region } = settings;
  const base =
    endpoint === undefined
      ? `https://${bucket}.s3.${region}.amazonaws.com`
      : `${endpoint.replace(/\/+$/, "")}/${bucket}`;
  const keyOf = (name: string) => (prefix === "" ? name : `${prefix}/${name}`);
  const addressOf = (name: string) => `${base}/${keyOf(name).split("/").map(encodeURIComponent).join("/")}`;

  async function ask(address: string, init: RequestInit): Promise<Answer> {
    const client = new AwsClient({ ...settings.credentials(), service: "s3", region, retries: 2 });
    try {
      const response = await client.fetch(address, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
      return { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) };
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      throw new ColdUnavailableError(
        `S3 can't be reached at ${new URL(base).host}: ${((cause ?? error) as Error).message}`,
        "See that COLD_S3_ENDPOINT is right and can be reached from here.",
        { cause: error },
      );
    }
  }

  return {
    url: prefix === "" ? `s3://${bucket}` : `s3://${bucket}/${prefix}`,
    async put(name, bytes) {
      const answer = await ask(addressOf(name), {
        method: "PUT",
        body: bytes as Uint8Array<ArrayBuffer>,
        headers: {
          "if-none-match": "*",
          "content-type": "application/vnd.apache.parquet",
          "x-amz-content-sha256": createHash("sha256").update(bytes).digest("hex"),
        },
      });
      if (answer.status === 412) throw new ColdFileExistsError(name);
      expectOk(answer, bucket);
    },
    async read(name, from, to) {
      if (from === to) return new Uint8Array(0);
      const answer = await ask(addressOf(name), { method: "GET", headers: { range: `bytes=${from}-${to - 1}` } });
      if (answer.status === 416 || (answer.status === 404 && codeOf(answer) !== "NoSuchBucket"))
        throw new ColdFileMissingError(name);
      expectOk(answer, bucket);
      // A server that doesn't know ranges sends all of it.
      const bytes = answer.status === 200 ? answer.bytes.subarray(from, to) : answer.bytes;
      if (bytes.length !== to - from) throw new ColdFileMissingError(name);
      return bytes;
    },
    async look() {
      await this.list("readings");
      return true;
    },
    async list(folder) {
      const seen: ColdFileSeen[] = [];
      for (let token: string | undefined, more = true; more;) {
        const query = new URLSearchParams({ "list-type": "2", prefix: `${keyOf(folder)}/` });
        if (token !== undefined) query.set("continuation-token", token);
        const answer = await ask(`${base}/?${query.toString().replaceAll("+", "%20")}`, { method: "GET" });
        expectOk(answer, bucket);
        const text = textOf(answer);
        for (const [, entry = ""] of text.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
          const key = elementOf(entry, "Key") ?? "";
          seen.push({
            name: prefix === "" ? key : key.slice(prefix.length + 1),
            bytes: Number(elementOf(entry, "Size")),
          });
        }
        token = elementOf(text, "NextContinuationToken");
        more = token !== undefined;
      }
      return seen.sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    async remove(name) {
      const answer = await ask(addressOf(name), { method: "DELETE" });
      if (answer.status !== 404 || codeOf(answer) === "NoSuchBucket") expectOk(answer, bucket);
    },
  };
}

interface Answer {
  readonly status: number;
  readonly bytes: Uint8Array;
}

/** @throws ColdUnavailableError unless the answer is a success: what S3 refuses, a person can mend, and then the same works. */
function expectOk(answer: Answer, bucket: string): void {
  if (answer.status >= 200 && answer.status < 300) return;
  const code = codeOf(answer);
  const said = `${answer.status}${code === undefined ? "" : ` ${code}`}`;
  throw new ColdUnavailableError(`S3 refuses (${said}) in the bucket ${bucket}`, fixOf(answer.status, code));
}

function fixOf(status: number, code: string | undefined): string {
  if (code === "NoSuchBucket") return "Make the bucket of COLD_URL, or name the right one.";
  if (code === "InvalidAccessKeyId" || code === "SignatureDoesNotMatch")
    return "Set COLD_S3_ACCESS_KEY_ID and COLD_S3_SECRET_ACCESS_KEY (or their _FILE) to a valid key.";
  if (code === "PermanentRedirect" || code === "AuthorizationHeaderMalformed")
    return "Set COLD_S3_REGION to the region of the bucket.";
  if (status === 401 || status === 403)
    return "Let the key of COLD_S3_ACCESS_KEY_ID list the bucket, and get, put and delete its objects.";
  return "Look at the state of the storage; the same is tried again.";
}

/** The code in an error's body: NoSuchKey. */
function codeOf(answer: Answer): string | undefined {
  return elementOf(textOf(answer), "Code");
}

function textOf({ bytes }: Answer): string {
  return new TextDecoder().decode(bytes);
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function elementOf(text: string, name: string): string | undefined {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
  return found?.replace(/&(#x?[\da-f]+|\w+);/gi, (whole, entity: string) => {
    if (!entity.startsWith("#")) return ENTITIES[entity] ?? whole;
    return String.fromCodePoint(entity[1] === "x" ? parseInt(entity.slice(2), 16) : Number(entity.slice(1)));
  });
}
