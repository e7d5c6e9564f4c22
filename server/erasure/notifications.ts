import { erasedWord, isTelling, sqlWordPattern } from "@/server/domain/erased";
import type { ErasureStore, ErasureSubject } from "@/server/postgres/erasure";

/** Those that tell of its alerts, or name it: $1 is its name, $2 what finds that in words, null where nothing does, $3 what stands in its place. */
const TELLING = `title <> $3 AND (alert_ids && ARRAY(SELECT id FROM alert WHERE device_name = $1) OR title ~ $2::text OR body ~ $2::text)`;

/** Notifications: their words go, that they were sent stays. Before its alerts are deleted. */
export const notificationStore: ErasureStore = {
  name: "Notifications",
  async erase(pool, subject) {
    const { rowCount } = await pool.query(
      `UPDATE notification SET title = $3, body = $3, answer = NULL WHERE ${TELLING}`,
      valuesOf(subject),
    );
    return rowCount ?? 0;
  },
  async count(pool, subject) {
    const { rows } = await pool.query<{ n: number }>(
      `SELECT count(*)::integer AS n FROM notification WHERE ${TELLING}`,
      valuesOf(subject),
    );
    return rows[0]!.n;
  },
};

function valuesOf({ name, erasure }: ErasureSubject): unknown[] {
  return [name, isTelling(name) ? sqlWordPattern(name) : null, erasedWord(erasure)];
}
