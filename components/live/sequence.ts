import type { Frame } from "@/server/contracts/live";

/** How far a room has been followed: the last frame number seen, in which session of the server. */
export interface Followed {
  readonly session: string;
  readonly seq: number;
}

/**
 * Follows a room's numbering by one frame.
 * @returns where we are now, whether the frame is news (repeats and older ones are not), and whether frames were missed.
 */
export function follow(
  followed: Followed | null,
  frame: Pick<Frame, "session" | "seq">,
): { followed: Followed; news: boolean; missed: boolean } {
  const here = { session: frame.session, seq: frame.seq };
  if (followed === null) return { followed: here, news: true, missed: false };
  if (frame.session !== followed.session) return { followed: here, news: true, missed: true };
  if (frame.seq <= followed.seq) return { followed, news: false, missed: false };
  return { followed: here, news: true, missed: frame.seq !== followed.seq + 1 };
}
