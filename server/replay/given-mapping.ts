import { readFile } from "node:fs/promises";
import type { z } from "zod";
import { sourceDetail } from "@/server/contracts/sources";
import { ask } from "@/server/delivery/ask";
import type { Authorization } from "@/server/delivery/authorization";
import { routeBeside } from "@/server/delivery/target";
import { type Mapping, mappingSchema } from "@/server/domain/mapping/mapping";
import type { GivenMapping } from "./mapper";
import type { ReplayOptions } from "./options";
import { ReplayUsageError } from "./usage-error";

const ANSWER_WITHIN_MS = 10_000;

/**
 * The mapping that --mapping or --source names; null for none. Of a source the mapping is used and what it says of all of its devices: the messages go out
 * by the telemetry route, where they are counted one by one and by this replay alone, and nothing is added to what the source counts of its sender.
 * @throws ReplayUsageError if there is none.
 */
export async function readGivenMapping(
  { mappingFile, sourceName, deviceName }: ReplayOptions,
  telemetry: URL,
  authorization: Authorization,
): Promise<Omit<GivenMapping, "decoderOf"> | null> {
  const given =
    mappingFile !== null
      ? { mapping: await mappingIn(mappingFile), labels: {} }
      : sourceName !== null
        ? await mappingOf(sourceName, telemetry, authorization)
        : null;
  if (given === null || deviceName === null) return given;
  return { ...given, mapping: { ...given.mapping, device: [deviceName] } };
}

async function mappingIn(file: string): Promise<Mapping> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    throw new ReplayUsageError(`--mapping: ${file} cannot be read: ${(error as Error).message}`);
  }
  // As the API gives it, with its version and who made it.
  const whole = typeof json === "object" && json !== null && "mapping" in json ? json.mapping : json;
  const read = mappingSchema.safeParse(whole);
  if (read.success) return read.data;
  throw new ReplayUsageError(`--mapping: ${file} holds no mapping:\n${problemsOf(read.error)}`);
}

function problemsOf(error: z.ZodError): string {
  return error.issues
    .slice(0, 10)
    .map(({ path, message }) => `  ${path.join(".") || "all of it"}: ${message}`)
    .join("\n");
}

async function mappingOf(
  name: string,
  telemetry: URL,
  authorization: Authorization,
): Promise<Omit<GivenMapping, "decoderOf">> {
  const url = routeBeside(telemetry, `sources/${name}`);
  const { status, text } = await answerOf(url, authorization);
  if (status === 404) throw new ReplayUsageError(`--source: ${url.origin} has no source ${name}.`);
  if (status !== 200)
    throw new ReplayUsageError(
      `--source: ${url.origin} does not show the source ${name} (${status}). A key whose role may see sources does (FIELDWATCH_KEY); or save the mapping from the source's page, and name that file with --mapping.`,
    );
  const { source, mapping } = sourceDetail.parse(JSON.parse(text));
  const site = source.site === null ? {} : { site: source.site };
  return { mapping: mapping.mapping, labels: { ...site, ...source.labels } };
}

async function answerOf(url: URL, authorization: Authorization): Promise<{ status: number; text: string }> {
  try {
    return await ask(url, { headers: authorization(), signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  } catch (error) {
    throw new ReplayUsageError(
      `--source: ${url.origin} does not answer: ${(error as Error).message}. Is Fieldwatch running there? Start it (npm start), or name it with --url.`,
    );
  }
}
