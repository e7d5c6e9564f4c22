/**
 * How the erasure of a device deals with a table:
 * device: its rows have the device's number and are deleted, by the database or by the removal ·
 * named: rows whose `column` is its name are deleted, and its name is replaced in `words` of others ·
 * words: its name is replaced wherever it stands in words ·
 * bytes: rows whose words or bytes hold its name are deleted ·
 * store: a store of its own deals with it (server/compose-erasure.ts) ·
 * told: people named and set it up, so that replacing a word would break it; it is looked through, and told what remains ·
 * never: it can't hold a device's name, number or message.
 */
export type Handling =
  | { readonly by: "device" }
  | { readonly by: "named"; readonly column: string; readonly where?: string; readonly words: readonly string[] }
  | { readonly by: "words" }
  | { readonly by: "bytes" }
  | { readonly by: "store"; readonly store: string }
  | { readonly by: "told"; readonly why: string }
  | { readonly by: "never"; readonly why: string };

const DEVICE: Handling = { by: "device" };
const WORDS: Handling = { by: "words" };
const BYTES: Handling = { by: "bytes" };
const named = (column: string, words: readonly string[] = [], where?: string): Handling => ({
  ...{ by: "named", column, words },
  ...(where !== undefined && { where }),
});
const store = (name: string): Handling => ({ by: "store", store: name });
const told = (why: string): Handling => ({ by: "told", why });
const never = (why: string): Handling => ({ by: "never", why });

const ACCOUNTS = "it is of people who sign in, and names no device";
const NUMBERS = "it holds numbers of the pipeline alone";

/** Every table of the schema. A test reads the schema, and fails at one that is missing here or isn't there any more. */
export const TABLES: Readonly<Record<string, Handling>> = {
  _prisma_migrations: never("it holds migrations alone"),
  access_key: named("device", ["name"]),
  account: never(ACCOUNTS),
  alert: named("device_name", ["acknowledged_note", "subject"]),
  alert_epoch: never(NUMBERS),
  alert_event: WORDS,
  alert_outbox: never("it holds numbers of alerts, which go with them"),
  alert_recheck: DEVICE,
  alert_rule: WORDS,
  alert_rule_version: WORDS,
  alert_state: DEVICE,
  alert_verdict: WORDS,
  archive_block: store("Message archive"),
  archive_fresh: store("Message archive"),
  audit_row: store("Audit record"),
  audit_seal: never("it holds hashes alone"),
  audit_unsealed: never(NUMBERS),
  audit_value: store("Audit record"),
  backtest_device: named("device"),
  catalog_epoch: never(NUMBERS),
  catalog_removal: named("name", [], "kind = 'device'"),
  channel: told("it is where notifications go"),
  cold_device: DEVICE,
  cold_file: store("Cold files"),
  cold_hold: never(NUMBERS),
  cold_touched: never(NUMBERS),
  dead_letter: store("Dead letters"),
  device: named("name", ["notes"]),
  device_label: DEVICE,
  device_metric: DEVICE,
  device_past: DEVICE,
  device_twin: store("Latest values"),
  device_type: told("types have names of their own"),
  device_type_alias: told("types have names of their own"),
  device_unit: DEVICE,
  erasure: never("it holds the name of its device until the proof found nothing, and a salted hash after that"),
  erasure_salt: never(NUMBERS),
  event: named("device_name", ["data"]),
  fleet_live: never("it holds counts of whole sites"),
  group_alert: never("it holds numbers of alerts, which go with them"),
  intake_door: told("the source keeps it anew while it runs"),
  job: never("it holds the jobs' own words"),
  job_run: WORDS,
  lag_minute: never(NUMBERS),
  late_hour: DEVICE,
  lineage_event: WORDS,
  lineage_state: WORDS,
  live_watch: never(NUMBERS),
  log_batch: store("Event log"),
  log_cluster: never(NUMBERS),
  log_commit: never(NUMBERS),
  log_key: never("it holds a key"),
  log_level: never(NUMBERS),
  log_partition: never(NUMBERS),
  log_topic: never(NUMBERS),
  maintenance: WORDS,
  message_archive: store("Message archive"),
  metric: told("metrics have names of their own"),
  metric_alias: never("it holds names of metrics"),
  new_name: named("name", [], "kind = 'device'"),
  notification: store("Notifications"),
  notification_attempt: WORDS,
  notification_group: WORDS,
  odd_state: DEVICE,
  odd_stretch: DEVICE,
  pipeline_position: WORDS,
  pipeline_rate: never(NUMBERS),
  pipeline_refused: never(NUMBERS),
  pipeline_stage: never(NUMBERS),
  probe_message: WORDS,
  provider_identity: never(ACCOUNTS),
  quality_checked: never(NUMBERS),
  quality_count: DEVICE,
  quality_day: DEVICE,
  quality_flag: DEVICE,
  quality_limit: DEVICE,
  quality_state: DEVICE,
  quarter_due: DEVICE,
  replay_refused: WORDS,
  replay_run: never(NUMBERS),
  resend_settlement: WORDS,
  retention_edge: never(NUMBERS),
  retention_rule: never(NUMBERS),
  role_grant: never(ACCOUNTS),
  rollup_hour: DEVICE,
  rollup_minute: DEVICE,
  rollup_quarter: DEVICE,
  rounded_series: DEVICE,
  route: WORDS,
  route_rate: never("it holds counts by the names of verbs"),
  sample: DEVICE,
  saved_view: WORDS,
  series_edge: DEVICE,
  series_profile: DEVICE,
  series_rule: WORDS,
  series_rule_change: never(NUMBERS),
  session: never(ACCOUNTS),
  sign_in_failure: never(ACCOUNTS),
  sign_in_link: never(ACCOUNTS),
  silence: WORDS,
  site: told("sites have names of their own"),
  site_alias: told("sites have names of their own"),
  source: told("its topics and addresses are what it takes messages by"),
  source_client: never(NUMBERS),
  source_commit: never(NUMBERS),
  source_count: WORDS,
  source_handshake: told("it is where a sender was asked to confirm"),
  source_mapping: told("it is what messages are read by"),
  source_sample: BYTES,
  sparkplug_birth: BYTES,
  spent_token: never("it holds hashes alone"),
  taken_from: never("it holds topics and offsets of logs of others"),
  telemetry_open: never(NUMBERS),
  text_run: DEVICE,
  unreadable_batch: WORDS,
};
