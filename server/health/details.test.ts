import { expect, test } from "vitest";
import { withoutDetails } from "./details";

test.each([
  ["kafka-1.plant.example:9092 answers in 3 ms (3.9).", "… answers in 3 ms (…)."],
  [
    "Kafka at 10.0.0.5:9092 answers, but tells clients to use [fd00::5]:9092, which this machine can't reach.",
    "Kafka at … answers, but tells clients to use …, which this machine can't reach.",
  ],
  ["getaddrinfo ENOTFOUND db-internal", "getaddrinfo ENOTFOUND …"],
  ["connect ECONNREFUSED 127.0.0.1:5432", "connect ECONNREFUSED …"],
  ["connect ECONNREFUSED ::1:5432", "connect ECONNREFUSED …"],
  ["PostgreSQL 15.18 at postgres.plant.example answers in 1.2 ms.", "PostgreSQL … at … answers in 1.2 ms."],
  ["MongoDB 7.0.2 is too old.", "MongoDB … is too old."],
  ['Signed in as fw_app to the database "plant".', "Signed in as … to the database …."],
  [
    "Free space on the disk of /var/lib/fieldwatch, or keep less: lower LOG_RETENTION_HOURS and restart.",
    "Free space on the disk of …, or keep less: lower … and restart.",
  ],
  ["fieldwatch_app is no superuser.", "… is no superuser."],
  ["Set TELEMETRY_PARTITIONS=6 to agree with it.", "Set … to agree with it."],
  [
    "too few brokers are up (min.insync.replicas=2), for iot.telemetry",
    "too few brokers are up (…), for iot.telemetry",
  ],
  ["The proxy https://proxy.example/path?a=b refused it", "The proxy … refused it"],
  [
    "ENOSPC: no space left on device, open 'C:\\data\\wal' or ./data/x",
    "ENOSPC: no space left on device, open '… or …",
  ],
  ["PostgreSQL at primary:5432 is down", "PostgreSQL at … is down"],
  ["The broker primary went away; ask primary-2 for its log", "The broker … went away; ask primary-2 for its log"],
])("%s", (text, left) => {
  expect(withoutDetails(text, ["primary"])).toBe(left);
});

test.each([
  "Nothing waits. Lag 2.5 s, 1,200 messages/s, 3 of 5 devices are live.",
  "Since 14:02 UTC: readings can't be taken; devices that keep an outbox lose nothing.",
  "Partition 3 has stood still for 65 s; 12 messages wait in it.",
  "Start one more: npm run worker (up to one for each partition), and read the worker's log.",
  "Room: 12.5 GB of 100 GB are free on 2026-11-28.",
  "The topic iot.telemetry is missing.",
])("%s stays as it is", (text) => {
  expect(withoutDetails(text)).toBe(text);
});
