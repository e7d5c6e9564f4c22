import { parse } from "csv-parse";
import { parserOptions } from "./csv-layout";
import { type CsvMessage, type CsvPlan, rowReader } from "./csv-plan";

/** Reads CSV by a plan into messages in Fieldwatch's own shape, one a row; null for a row without a value. */
export async function* readCsv(chunks: AsyncIterable<Buffer>, plan: CsvPlan): AsyncGenerator<CsvMessage | null> {
  const parser = parse({ ...parserOptions(plan.layout), encoding: plan.layout.encoding });
  const feeding = feed(chunks, parser);
  const toMessage = rowReader(plan);
  let skip = plan.layout.skip;
  try {
    for await (const row of parser as AsyncIterable<string[]>) {
      if (skip > 0) skip -= 1;
      else yield toMessage(row.map((field) => field.trim()));
    }
    await feeding;
  } finally {
    parser.destroy();
  }
}

/** Back-pressure by hand, so that a reader that stops early leaves no stream open. */
async function feed(chunks: AsyncIterable<Buffer>, parser: ReturnType<typeof parse>): Promise<void> {
  try {
    for await (const chunk of chunks) {
      if (parser.destroyed) return;
      if (!parser.write(chunk)) await Promise.race([once(parser, "drain"), once(parser, "close")]);
    }
    parser.end();
  } catch (error) {
    parser.destroy(error as Error);
  }
}

function once(parser: ReturnType<typeof parse>, event: string): Promise<void> {
  return new Promise((resolve) => parser.once(event, () => resolve()));
}
