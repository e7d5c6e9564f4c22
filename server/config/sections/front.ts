import { z } from "zod";
import { LOG_LEVELS } from "@/server/domain/log-level";
import { flag, hosts, networks, publicOrigin, variable, whole } from "../variables";

/** Settings of where Fieldwatch listens and keeps its files. */
export const server = {
  PORT: variable(whole(1, 65535).default(3000), "Port of the dashboard and the REST routes.", "3000"),
  HOST: variable(z.string().min(1).default("127.0.0.1"), "Address to listen on.", "127.0.0.1"),
  FIELDWATCH_DATA_DIR: variable(
    z.string().min(1).default(".fieldwatch"),
    "Folder of the embedded PostgreSQL, its log and the simulator's outbox.",
    ".fieldwatch",
  ),
  STOP_DELAY_SECONDS: variable(
    whole(0, 300).default(0),
    "How long web goes on answering after it was told to stop, with /api/readyz saying that it is no longer ready, in seconds: time for a load balancer to notice, and for browsers to be sent to another web. For several webs behind one address; `npm start` has one, and takes no notice.",
    "15",
  ),
  BACKUP_MAX_AGE_HOURS: variable(
    whole(1, 24 * 3650).optional(),
    "Health warns when the last `npm run backup` is older, in hours. Not set: it only tells how old it is.",
    "26",
  ),
  LOG_LEVEL: variable(
    z.enum(LOG_LEVELS).default("info"),
    "Least severe log lines written. It can be changed without a restart, too: docs/logs.md.",
    "info",
  ),
  LOG_FORMAT: variable(
    z.enum(["auto", "json", "ecs", "pretty"]).default("auto"),
    "json for machines, ecs the same by the names of the Elastic Common Schema, pretty for people; auto is pretty on a terminal and json elsewhere.",
    "auto",
  ),
} as const;

/** Whom the front door lets in. */
export const frontDoor = {
  PUBLIC_URL: variable(
    z.string().transform(publicOrigin).optional(),
    "The address people open, when it is another than where Fieldwatch listens: behind a reverse proxy, a tunnel or a published port. No path.",
    "https://fieldwatch.example",
  ),
  ALLOWED_HOSTS: variable(
    z.string().default("").transform(hosts),
    "Further hosts that requests may name, with commas between; without a port, at any. Requests for other hosts are answered 421.",
    "iot.example,192.168.1.20:3000",
  ),
  TRUSTED_PROXIES: variable(
    z.string().default("").transform(networks),
    "Addresses of reverse proxies, or networks of them, whose X-Forwarded-For, -Proto and -Host are believed. None wider than 10.0.0.0/8 or fc00::/7. From all others they are removed.",
    "127.0.0.1,10.0.0.0/8",
  ),
  TLS_CERT_FILE: variable(
    z.string().min(1).optional(),
    "With TLS_KEY_FILE: PEM file of the certificate, the authorities between behind it. Then it speaks HTTPS alone, and reads both files again when they change.",
    "/etc/fieldwatch/tls.crt",
  ),
  TLS_KEY_FILE: variable(
    z.string().min(1).optional(),
    "PEM file of that certificate's private key.",
    "/etc/fieldwatch/tls.key",
  ),
  ALLOW_PLAIN_HTTP: variable(
    flag().default(false),
    "true: listens beyond this machine without encryption, where anyone on the way can read passwords and keys. Health warns of it for as long as it is set.",
    "true",
  ),
  MAX_CONNECTIONS: variable(whole(10, 1_000_000).default(10_000), "Most connections open at once.", "10000"),
  MAX_CONNECTIONS_PER_ADDRESS: variable(
    whole(1, 1_000_000).default(1000),
    "Most connections, and most live sockets, of one address; the connections of a trusted proxy are not counted.",
    "1000",
  ),
} as const;
