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

messageArchiveContract("postgres", () => fixtureOf((pool) => createPostgresMessageArchive(pool, 36_500)));
deviceTwinsContract("postgres", () => fixtureOf(createPostgresDeviceTwins));
deadLettersContract("postgres", async () => {
  const { pool, drop } = await freshDatabase();
  return {
    store: createPostgresDeadLetters(pool),
    close: drop,
    async place(site, devices, sources = []) {
      await pool.query(
        `INSERT INTO site (id, name) VALUES ($1::integer, 'site ' || $1::integer) ON CONFLICT DO NOTHING`,
        [site],
      );
      await pool.query(
        `INSERT INTO device (name, site_id) SELECT unnest($2::text[]), $1
         ON CONFLICT (name) DO UPDATE SET site_id = excluded.site_id`,
        [site, devices],
      );
      await pool.query(
        `INSERT INTO source (name, kind, answer, site_id) SELECT unnest($2::text[]), 'generic', 'strict', $1`,
        [site, sources],
      );
    },
  };
});
