/** Why somebody who comes back from the identity provider isn't signed in; the sign-in page has words for each. */
export const PROVIDER_TROUBLES = [
  "away",
  "cancelled",
  "failed",
  "misconfigured",
  "not-begun",
  "not-believed",
  "spent",
  "disabled",
  "other-person",
] as const;

export type ProviderTrouble = (typeof PROVIDER_TROUBLES)[number];
