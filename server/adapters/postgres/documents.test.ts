import { deadLettersContract } from "@/server/testing/dead-letters.contract";
import { deviceTwinsContract } from "@/server/testing/device-twins.contract";
import { freshDatabase } from "@/server/testing/database";
import { messageArchiveContract } from "@/server/testing/message-archive.contract";
import { createPostgresDeadLetters } from "./dead-letters";
import { createPostgresDeviceTwins } from "./device-twins";
import { createPostgresMessageArchive } from "./message-archive";
import type { Pool } from "pg";

async function fixtureOf<Store>(create: (pool: Pool) => Store) {
  const { pool, drop } = await freshDatabase();
  return { store: create(pool), close: drop };
}

messageArchiveContract("postgres", () => fixtureOf(createPostgresMessageArchive));
deviceTwinsContract("postgres", () => fixtureOf(createPostgresDeviceTwins));
deadLettersContract("postgres", () => fixtureOf(createPostgresDeadLetters));
