import { PROVIDER_TROUBLES, type ProviderTrouble } from "@/server/contracts/provider-troubles";
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

/** Why the identity provider has sent somebody back who isn't signed in. */
const PROVIDER_WORDS: Readonly<Record<ProviderTrouble, { readonly what: string; readonly why: string }>> = {
  away: {
    what: "The identity provider does not answer",
    why: "A sign-in link works meanwhile. Who is signed in stays so.",
  },
  cancelled: {
    what: "You have not signed in",
    why: "The identity provider sent you back without. Try again when you like.",
  },
  failed: { what: "The identity provider failed", why: "It says the fault is on its side. Try again in a moment." },
  misconfigured: {
    what: "The identity provider does not take Fieldwatch’s request",
    why: "Tell whoever administers Fieldwatch: the audit record has the particulars, and Sign-in settings says what the provider must know.",
  },
  "not-begun": {
    what: "This sign-in was not begun here",
    why: "It was begun in another browser, more than ten minutes ago, or finished before. Begin again.",
  },
  "not-believed": {
    what: "What the identity provider said is not believed",
    why: "It does not fit what was asked. Begin again; if it stays so, the audit record tells your administrator why.",
  },
  spent: { what: "This sign-in was used before", why: "Each counts once. Begin again." },
  disabled: {
    what: "Your account here is disabled",
    why: "Whoever administers Fieldwatch can let you in again, under Users.",
  },
  "other-person": {
    what: "Somebody else has signed in there",
    why: "To prove who you are, sign in at the identity provider as the same person as here.",
  },
};

/** What `trouble=` in the sign-in page's address says; null for anything that it isn't. */
export function providerTrouble(named: string | null): Trouble | null {
  const trouble = PROVIDER_TROUBLES.find((each) => each === named);
  return trouble === undefined
    ? null
    : { ...PROVIDER_WORDS[trouble], waitSeconds: null, needsLink: false, isPassing: false };
}

/** A rule that would let somebody of this group see what there is to see, to copy into the configuration. */
export function exampleRule(group: string): string {
  return `OIDC_ROLES="${group.replace(/["\\$`]/g, "\\$&")}=viewer"`;
}

/** What keeps a browser out that shows two sessions, null if it doesn't: signing in again would change nothing. */
export function twoCookies(error: unknown): Trouble | null {
  if (!(error instanceof RequestError) || error.problem?.ambiguous !== true) return null;
  return {
    ...{ waitSeconds: null, needsLink: false, isPassing: false },
    what: "This browser shows two sessions",
    why: "Another page on this host, on another port, has set a cookie of the same name. Whose session is meant can’t be told: clear this host’s cookies in the browser, then sign in.",
  };
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
