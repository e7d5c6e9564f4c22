/** The party that asks for something. There is no sign-in yet, so every call is the system's own. */
export interface Caller {
  readonly kind: "system";
}

export const SYSTEM: Caller = { kind: "system" };
