import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, copyFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";

const MODULE = "github.com/influxdata/telegraf";
/** The version that is compared with. */
export const TELEGRAF = "v1.36.2";

const MAIN = `package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"${MODULE}/agent"
	"${MODULE}/config"
	"${MODULE}/logger"
	_ "${MODULE}/plugins/inputs/kafka_consumer"
	_ "${MODULE}/plugins/inputs/tail"
	_ "${MODULE}/plugins/outputs/influxdb"
	_ "${MODULE}/plugins/outputs/influxdb_v2"
	_ "${MODULE}/plugins/outputs/postgresql"
	_ "${MODULE}/plugins/parsers/influx"
	_ "${MODULE}/plugins/parsers/json_v2"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	settings := config.NewConfig()
	err := settings.LoadAll(os.Args[1])
	if err == nil {
		err = logger.SetupLogging(&logger.Config{Quiet: true})
	}
	if err == nil {
		err = agent.NewAgent(settings).Run(ctx)
	}
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
}
`;

type Found = { readonly program: string } | { readonly missing: string };

const cache = () => path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache"), "fieldwatch");
const programOf = () =>
  path.join(cache(), `telegraf-${TELEGRAF}-${createHash("sha256").update(MAIN).digest("hex").slice(0, 8)}`);

/** @returns the path of the Telegraf that {@link buildTelegraf} has built, or why there is none. */
export function findTelegraf(): Found {
  const program = programOf();
  return existsSync(program) ? { program } : { missing: "`npm run drill -- telegraf` builds one, with Go" };
}

/**
 * Builds Telegraf with the plugins that are compared or tried, through the Go module proxy, once: the program stays in the user's cache folder.
 * @returns its path, or why there is none.
 */
export function buildTelegraf(): Found {
  const program = programOf();
  if (existsSync(program)) return { program };
  if (spawnSync("go", ["version"]).status !== 0) return { missing: "no Go" };
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-telegraf-"));
  try {
    writeFileSync(path.join(folder, "go.mod"), "module fieldwatch.invalid/peers\n\ngo 1.24.0\n");
    writeFileSync(path.join(folder, "main.go"), MAIN);
    for (const command of [`get ${MODULE}@${TELEGRAF}`, "mod tidy", "build -o telegraf ."]) {
      console.error(`go ${command}`);
      const { status, stderr } = spawnSync("go", command.split(" "), { cwd: folder, encoding: "utf8" });
      if (status !== 0) return { missing: `go ${command} failed: ${stderr.trim().split("\n").at(-1) ?? ""}` };
    }
    mkdirSync(cache(), { recursive: true });
    copyFileSync(path.join(folder, "telegraf"), program);
    return { program };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Telegraf's settings for a row a message, none of which is lost: offsets are committed once their rows are written. Large batches, as
 * they are what makes it fast.
 */
export function telegrafSettings(brokers: string, databaseUrl: string, topic: string): string {
  return `
[agent]
  interval = "1s"
  flush_interval = "1s"
  metric_batch_size = 10000
  metric_buffer_limit = 100000
  omit_hostname = true

[[inputs.kafka_consumer]]
  brokers = ${JSON.stringify(brokers.split(","))}
  kafka_version = "3.6.0"
  topics = [${JSON.stringify(topic)}]
  consumer_group = "telegraf"
  offset = "oldest"
  max_undelivered_messages = 50000
  data_format = "json_v2"
  [[inputs.kafka_consumer.json_v2]]
    measurement_name = "telemetry"
    timestamp_path = "time"
    timestamp_format = "2006-01-02T15:04:05.000Z07:00"
    [[inputs.kafka_consumer.json_v2.tag]]
      path = "device"
    [[inputs.kafka_consumer.json_v2.object]]
      path = "readings"

[[outputs.postgresql]]
  connection = ${JSON.stringify(databaseUrl)}
  create_templates = ['''CREATE TABLE {{ .table }} ({{ .columns }}, PRIMARY KEY (device, time))''']
`;
}
