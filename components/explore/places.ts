import type { ExploreAnswer } from "@/server/contracts/explore";
import { toSegment } from "@/server/domain/segment";

/** The page of what a series is of; null where it has none. */
export function placeOf({ by, metric }: Pick<ExploreAnswer, "by" | "metric">, id: string): string | null {
  return by === "device" ? `/devices/${toSegment(id)}?metric=${encodeURIComponent(metric)}` : null;
}
