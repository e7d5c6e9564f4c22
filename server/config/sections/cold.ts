import { fileURLToPath } from "node:url";
import { z } from "zod";
import { variable, whole } from "../variables";

/** Where files of cold storage lie. */
type ColdPlace =
  | { readonly kind: "folder"; readonly folder: string }
  | { readonly kind: "s3"; readonly bucket: string; readonly prefix: string };

const FORMS = "must be file:///a/folder or s3://bucket/prefix, as s3://plant-telemetry/fieldwatch";

/** Reads file:///folder or s3://bucket/prefix. */
function coldPlace(text: string, context: z.RefinementCtx): ColdPlace {
  const found = readPlace(text);
  if (typeof found !== "string") return found;
  context.addIssue({ code: "custom", message: found });
  return { kind: "folder", folder: "" };
}

/** @returns what is wrong with it, if it can't be read. */
function readPlace(text: string): ColdPlace | string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.search !== "" || url.hash !== "" || url.username !== "") return FORMS;
  try {
    if (url.protocol === "file:" && url.host === "" && url.pathname !== "/")
      return { kind: "folder", folder: fileURLToPath(url) };
    if (url.protocol !== "s3:") return FORMS;
    if (/^[a-z\d][a-z\d.-]{1,61}[a-z\d]$/.test(url.host))
      return { kind: "s3", bucket: url.host, prefix: decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, "") };
  } catch {
    return "has a % that stands for no character; in a name it is written %25";
  }
  return `names the bucket "${url.host}": a bucket's name has 3 to 63 small letters, digits, dots and hyphens, as in s3://plant-telemetry/fieldwatch`;
}

/** Where readings of long ago go. */
export const cold = {
  COLD_URL: variable(
    z.string().transform(coldPlace).optional(),
    "Where months of readings are moved as Parquet files: a folder (file:///…), or a bucket of Amazon S3 or of storage that speaks its protocol (s3://bucket/prefix). Not set: all stay in PostgreSQL.",
    "file:///var/lib/fieldwatch/cold",
  ),
  COLD_AFTER_DAYS: variable(
    whole(1, 36500).default(90),
    "Days after its end that a month of readings, by event time, is moved there.",
    "90",
  ),
  COLD_S3_ENDPOINT: variable(
    z.url({ protocol: /^https?$/, error: "must be an http:// or https:// address" }).optional(),
    "Address of S3-compatible storage. Not set: Amazon's of the region.",
    "https://s3.example",
  ),
  COLD_S3_REGION: variable(z.string().min(1).default("us-east-1"), "Region of the bucket.", "eu-central-1"),
  COLD_S3_ACCESS_KEY_ID: variable(
    z.string().min(1).optional(),
    "Key by which objects of the bucket are listed, read, written and removed.",
    "AKIA…",
    { secret: true },
  ),
  COLD_S3_SECRET_ACCESS_KEY: variable(z.string().min(1).optional(), "The secret of that key.", "secret", {
    secret: true,
  }),
} as const;
