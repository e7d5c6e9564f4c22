import type { Frame } from "@/server/contracts/live";

/** The place a room has been followed to: the last frame number seen, and in which life of the room. */
export interface Followed {
  readonly life: string;
  readonly seq: number;
}

/**
 * Follows a room's numbering by one frame.
 * @returns where we are now, whether the frame is news (repeats and older ones are not), and whether frames were missed.
 */
export function follow(
  followed: Followed | null,
  frame: Pick<Frame, "life" | "seq">,
): { followed: Followed; news: boolean; missed: boolean } {
  const here = { life: frame.life, seq: frame.seq };
  if (followed === null) return { followed: here, news: true, missed: false };
  if (frame.life !== followed.life) return { followed: here, news: true, missed: true };
  if (frame.seq <= followed.seq) return { followed, news: false, missed: false };
  return { followed: here, news: true, missed: frame.seq !== followed.seq + 1 };
}
