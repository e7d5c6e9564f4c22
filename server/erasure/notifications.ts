import { erasedWord, isTelling, sqlWordPattern } from "@/server/domain/erased";
import type { ErasureStore } from "@/server/postgres/erasure";

/** Notifications that tell of its alerts, or name it: their words go, that they were sent stays. Before its alerts are deleted. */
export const notificationStore: ErasureStore = {
  name: "Notifications",
  async erase(pool, { name, erasure }) {
    const { rowCount } = await pool.query(
      `UPDATE notification SET title = $3, body = $3, answer = NULL
       WHERE title <> $3 AND (alert_ids && ARRAY(SELECT id FROM alert WHERE device_name = $1) OR ($2::text IS NOT NULL AND (title ~ $2 OR body ~ $2)))`,
      [name, patternOf(name), erasedWord(erasure)],
    );
    return rowCount ?? 0;
  },
  async count(pool, { name, erasure }) {
    const { rows } = await pool.query<{ n: number }>(
      `SELECT count(*)::integer AS n FROM notification
       WHERE title <> $3 AND (alert_ids && ARRAY(SELECT id FROM alert WHERE device_name = $1)
         OR title ~ coalesce($2, '(?!)') OR body ~ coalesce($2, '(?!)'))`,
      [name, patternOf(name), erasedWord(erasure)],
    );
    return rows[0]!.n;
  },
};

function patternOf(name: string): string | null {
  return isTelling(name) ? sqlWordPattern(name) : null;
}
