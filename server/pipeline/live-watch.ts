import type { Pool } from "pg";
import { prepared } from "@/server/postgres/prepared";

/** The time for which one word of a web process counts, in milliseconds; it repeats it well before. */
const WATCH_MS = 30_000;

/** SQL: whether browsers watch readings as they come. Read at the end of a batch's transaction, so that who watches before it commits gets its frame. */
export const IS_WATCHED = "coalesce((SELECT w.until > clock_timestamp() FROM live_watch w), false)";

const NOTE_WATCHED = prepared(
  "UPDATE live_watch SET until = greatest(until, clock_timestamp() + $1::float8 * interval '1 millisecond')",
);

/** Notes that browsers watch readings as they come, for {@link WATCH_MS} from now. */
export async function noteWatched(pool: Pool): Promise<void> {
  await pool.query(NOTE_WATCHED([WATCH_MS]));
}
