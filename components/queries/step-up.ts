"use client";
import { useSyncExternalStore } from "react";

/** Somebody is asked to prove anew who they are: one question for all that needs it at once. */
interface Asked {
  readonly answer: Promise<boolean>;
  /** Ends the question: true when it is proven, false when they would rather not. */
  readonly settle: (isProven: boolean) => void;
}

let asked: Asked | null = null;
let provenAt = -Infinity;
const listeners = new Set<() => void>();

/** A request that was under way while the session was renewed is worth sending again for so long. */
const RENEWED_MS = 10_000;

/** Asks for proof, by whoever listens. @returns true when what was refused for want of it may be sent again. */
export function askProof(): Promise<boolean> {
  if (asked !== null) return asked.answer;
  const { promise, resolve } = withResolver();
  asked = {
    answer: promise,
    settle(isProven) {
      asked = null;
      if (isProven) provenAt = performance.now();
      listeners.forEach((notify) => notify());
      resolve(isProven);
    },
  };
  listeners.forEach((notify) => notify());
  return promise;
}

/** True while the question is open: a refusal then is the question's own matter. */
export function isProofAsked(): boolean {
  return asked !== null;
}

/** True if the session was renewed a moment ago, so that a refusal may be of the one before. */
export function wasRenewed(): boolean {
  return performance.now() - provenAt < RENEWED_MS;
}

/** The open question, or null. */
export function openQuestion(): Pick<Asked, "settle"> | null {
  return asked;
}

/** The open question, or null, as it changes. */
export function useProofAsked(): Pick<Asked, "settle"> | null {
  return useSyncExternalStore(
    (notify) => {
      listeners.add(notify);
      return () => listeners.delete(notify);
    },
    openQuestion,
    () => null,
  );
}

function withResolver(): { promise: Promise<boolean>; resolve: (value: boolean) => void } {
  let resolve!: (value: boolean) => void;
  const promise = new Promise<boolean>((settle) => (resolve = settle));
  return { promise, resolve };
}
