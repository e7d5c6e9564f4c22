/** A mistake as people make it: what stands there, and what is written instead. */
interface Typo {
  readonly what: string;
  readonly from: string;
  readonly to: string;
  /** True if it is valid, and only policies find it. */
  readonly isPolicy?: boolean;
}

/** Puts a mistake into a text, once. @throws Error when the text has no place for it any more. */
export function typed(text: string, { what, from, to }: Typo): string {
  if (!text.includes(from)) throw new Error(`"${what}" can't be seeded: there is no ${JSON.stringify(from)}`);
  return text.replace(from, () => to);
}

/** Mistakes in the rendered overlay `demo`. */
export const MANIFEST_TYPOS: readonly Typo[] = [
  { what: "a field that there isn't", from: "imagePullPolicy:", to: "imagePullPolcy:" },
  { what: "a number in quotes", from: "containerPort: 3000", to: 'containerPort: "3000"' },
  { what: "a probe of a kind that there isn't", from: "livenessProbe:", to: "livelinessProbe:" },
  {
    what: "a budget that is told by the wrong name",
    from: "maxUnavailable: 1\n  selector",
    to: "maxUnavailabel: 1\n  selector",
  },
  {
    what: "a root that can be written to",
    from: "readOnlyRootFilesystem: true",
    to: "readOnlyRootFilesystem: false",
    isPolicy: true,
  },
  { what: "a container without a bound of memory", from: "            memory: 768Mi\n", to: "", isPolicy: true },
];

/** Mistakes in the modules of infra. */
export const TERRAFORM_TYPOS: readonly (Typo & { readonly file: string })[] = [
  {
    file: "infra/aws/engines.tf",
    what: "an argument that there isn't",
    from: "storage_encrypted",
    to: "storage_encripted",
  },
  {
    file: "infra/aws/engines.tf",
    what: "a required argument that isn't there",
    from: "  kafka_version          =",
    to: "  # kafka_version          =",
  },
  {
    file: "infra/gcp/main.tf",
    what: "a resource that there isn't",
    from: '"google_sql_database_instance"',
    to: '"google_sql_databse_instance"',
  },
  {
    file: "infra/azure/main.tf",
    what: "a nested block's argument that there isn't",
    from: "node_count",
    to: "nodes_count",
  },
];
