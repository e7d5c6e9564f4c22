import { CATALOG, type Dataset } from "./lineage";
import type { EpochMs } from "./terms";

/** The kinds of events of a run: each has one START and one that ends it. */
type LineageEventType = "START" | "COMPLETE" | "ABORT" | "FAIL";

/** A dataset of an event: a kind of Fieldwatch's own, or a source; with what was counted of it, where that is known. */
export interface LineageDataset {
  readonly kind: Dataset;
  /** A source's name, where that is its kind. */
  readonly source?: string;
  readonly rows?: number;
  /** Columns of which it is known how many values went. */
  readonly values?: Readonly<Record<string, number>>;
}

/** What happened to a run. */
export interface LineageRun {
  readonly type: LineageEventType;
  readonly at: EpochMs;
  /** A UUID. */
  readonly runId: string;
  readonly job: { readonly name: string; readonly about: string; readonly isStream: boolean };
  /** The time it was due at. */
  readonly dueAt?: EpochMs | null;
  /** Why it failed. */
  readonly error?: string | null;
  readonly inputs: readonly LineageDataset[];
  readonly outputs: readonly LineageDataset[];
}

/** By which names an installation's data and jobs are known elsewhere. */
export interface LineageNames {
  readonly version: string;
  /** OPENLINEAGE_NAMESPACE: of jobs, and of sources. */
  readonly namespace: string;
  readonly owner: string | null;
  /** A dataset's name by OpenLineage's rules for its engine, as other tools name it, too. */
  readonly of: (kind: Exclude<Dataset, "source">) => { readonly namespace: string; readonly name: string };
}

const SPEC = "https://openlineage.io/spec";
/** The facets in use, each with the version of its schema. */
const FACETS = {
  nominalTime: "1-0-1/NominalTimeRunFacet",
  errorMessage: "1-0-1/ErrorMessageRunFacet",
  processing_engine: "1-1-1/ProcessingEngineRunFacet",
  jobType: "2-0-4/JobTypeJobFacet",
  jobDocumentation: "1-1-0/DocumentationJobFacet",
  documentation: "1-1-0/DocumentationDatasetFacet",
  schema: "1-2-0/SchemaDatasetFacet",
  ownership: "1-0-1/OwnershipDatasetFacet",
  inputStatistics: "1-0-0/InputStatisticsInputDatasetFacet",
  dataQualityMetrics: "1-0-3/DataQualityMetricsInputDatasetFacet",
  outputStatistics: "1-0-2/OutputStatisticsOutputDatasetFacet",
} as const;

/** Writes an event as OpenLineage 2-0-2 has it, with the facets of which something is known. */
export function openLineageEvent(run: LineageRun, names: LineageNames) {
  const producer = `urn:fieldwatch:${names.version}`;
  const facet = (name: keyof typeof FACETS, what: object) => {
    const [version, title] = FACETS[name].split("/") as [string, string];
    return { _producer: producer, _schemaURL: `${SPEC}/facets/${version}/${title}.json#/$defs/${title}`, ...what };
  };
  const instant = (at: EpochMs) => new Date(at).toISOString();
  const dataset = ({ kind, source }: LineageDataset) => {
    const { meaning, fields } = CATALOG[kind];
    const named = kind === "source" ? { namespace: names.namespace, name: `source.${source ?? ""}` } : names.of(kind);
    return {
      ...named,
      facets: {
        documentation: facet("documentation", { description: meaning }),
        ...(fields.length > 0 && {
          schema: facet("schema", {
            fields: fields.map(([name, type, description]) => ({ name, type, ...(description && { description }) })),
          }),
        }),
        ...(names.owner !== null && { ownership: facet("ownership", { owners: [{ name: names.owner }] }) }),
      },
    };
  };
  const { dueAt = null, error = null } = run;
  return {
    eventType: run.type,
    eventTime: instant(run.at),
    producer,
    schemaURL: `${SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent`,
    run: {
      runId: run.runId,
      facets: {
        processing_engine: facet("processing_engine", { name: "fieldwatch", version: names.version }),
        ...(dueAt !== null && { nominalTime: facet("nominalTime", { nominalStartTime: instant(dueAt) }) }),
        ...(error !== null && {
          errorMessage: facet("errorMessage", { message: error, programmingLanguage: "TypeScript" }),
        }),
      },
    },
    job: {
      namespace: names.namespace,
      name: run.job.name,
      facets: {
        jobType: facet("jobType", {
          processingType: run.job.isStream ? "STREAMING" : "BATCH",
          integration: "FIELDWATCH",
          jobType: "JOB",
        }),
        documentation: facet("jobDocumentation", { description: run.job.about }),
      },
    },
    inputs: run.inputs.map((one) => ({
      ...dataset(one),
      ...(one.rows !== undefined && {
        inputFacets: {
          inputStatistics: facet("inputStatistics", { rowCount: one.rows }),
          ...(one.values !== undefined && {
            dataQualityMetrics: facet("dataQualityMetrics", {
              rowCount: one.rows,
              columnMetrics: Object.fromEntries(
                Object.entries(one.values).map(([column, count]) => [column, { count }]),
              ),
            }),
          }),
        },
      }),
    })),
    outputs: run.outputs.map((one) => ({
      ...dataset(one),
      ...(one.rows !== undefined && {
        outputFacets: { outputStatistics: facet("outputStatistics", { rowCount: one.rows }) },
      }),
    })),
  };
}
