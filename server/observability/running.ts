/** Something that was started: one role, or one part of a role. */
export interface Running {
  /** Finishes what is in flight and lets go of everything. Safe to call twice; resolves once it is done. */
  stop(): Promise<void>;
}
