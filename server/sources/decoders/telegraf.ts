import { checkCount, type Decoder, partAt, readTree, textOf, UnreadableError } from "./decoder";
import { seriesOf } from "./series";

type Tree = Readonly<Record<string, unknown>>;

/** Telegraf's own JSON (`data_format = "json"`), one metric or a batch of them: each becomes `{device, series, name, tags, fields, timestamp}`. */
export const decodeTelegraf: Decoder = (delivery, mapping) => {
  const { json, tokens } = readTree(textOf(delivery));
  const batch = isTree(json) && Array.isArray(json.metrics) ? json.metrics : Array.isArray(json) ? json : null;
  const metrics: readonly unknown[] = batch ?? [json];
  checkCount(metrics.length);
  return metrics.map((metric, i) =>
    partAt(batch === null ? "" : `metrics.${i}`, () => {
      if (!isTree(metric) || typeof metric.name !== "string" || !isTree(metric.fields))
        throw new UnreadableError('it has no "name" or no "fields"');
      const tags = isTree(metric.tags) ? metric.tags : {};
      return { json: { ...seriesOf(metric.name, tags, {}, mapping?.allTags), ...metric }, tokens };
    }),
  );
};

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
