import { RequestError } from "../queries/request";

/** What stands behind `#k=` in a sign-in link; null when the fragment is something else. */
export function secretIn(hash: string): string | null {
  return new URLSearchParams(hash.slice(1)).get("k") || null;
}

/** Why somebody isn't signed in, in words, and what to do. */
export interface Trouble {
  readonly what: string;
  readonly why: string;
  /** Seconds until the next try is listened to; null when it may be made at once. */
  readonly waitSeconds: number | null;
  /** True if a new link is the way out. */
  readonly needsLink: boolean;
  /** True if the same again may succeed: nothing was used up, and nothing was wrong with it. */
  readonly isPassing: boolean;
}

/** Tells why signing in by `means` failed. */
export function troubleOf(error: unknown, means: "link" | "password"): Trouble {
  const none = { waitSeconds: null, needsLink: false, isPassing: false };
  if (!(error instanceof RequestError))
    return { ...none, what: "This failed in the browser", why: error instanceof Error ? error.message : String(error) };
  const { status, problem, message, waitSeconds } = error;
  if (status === null)
    return {
      ...none,
      isPassing: true,
      what: "The server does not answer",
      why: "Start it again or look at its log. Nobody is signed out by it.",
    };
  if (status === 401 && means === "link")
    return {
      ...none,
      needsLink: true,
      what: "This link does not work any more",
      why: "A link signs in once, and within the hour it was made in. Ask whoever sent it for another, or make one on the machine that Fieldwatch runs on:",
    };
  if (status === 401)
    return {
      ...none,
      what: "E-mail address or password is wrong",
      why: "Without a password, a sign-in link lets you in.",
    };
  if (status === 429)
    return { ...none, what: "Too many wrong guesses", why: "A sign-in link works at once.", waitSeconds };
  return {
    ...none,
    isPassing: status >= 500,
    what: problem?.title ?? "Signing in failed",
    why: problem?.detail ?? message,
  };
}
