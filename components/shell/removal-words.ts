import type { RemovalsAnswer, RemovalView } from "@/server/contracts/removals";
import { counted } from "@/server/domain/counted";

/** States of the job in which nothing goes on by itself. */
const HELD_UP: Partial<Record<NonNullable<RemovalsAnswer["job"]>["state"], string>> = {
  paused: "paused",
  failed: "failed",
  retrying: "tried again",
  overdue: "no worker takes it",
};

/** Says what is done with one: "Moving temp to temperature", as it was renamed, or merged into it. */
export function removalWords({ name, into }: Pick<RemovalView, "name" | "into">): string {
  return into === null ? `Deleting ${name}` : `Moving ${name} to ${into}`;
}

/** Says how far one is: "45 % done"; nothing when that can't be told. */
function shareWords({ share }: Pick<RemovalView, "share">): string {
  return share === null ? "" : `${Math.floor(share * 100)} % done`;
}

/** Says what is being removed, how far it is, and what holds it up. Null when nothing is. */
export function removalsWords(
  items: readonly Pick<RemovalView, "name" | "into" | "share">[],
  job: Pick<NonNullable<RemovalsAnswer["job"]>, "state"> | null,
): { readonly text: string; readonly isHeldUp: boolean } | null {
  const [first, ...others] = items;
  if (first === undefined) return null;
  const trouble = job === null ? "no worker takes it" : HELD_UP[job.state];
  const parts = [
    removalWords(first),
    trouble ?? shareWords(first),
    others.length > 0 ? `${counted(others.length, "other")} after it` : "",
  ];
  return { text: parts.filter(Boolean).join(" · "), isHeldUp: trouble !== undefined };
}
