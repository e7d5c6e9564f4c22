"use client";
import { useMutation } from "@tanstack/react-query";
import { signOut } from "../queries/access";
import { SIGN_IN } from "../queries/signed-out";

/** Ends this session and leaves for the sign-in page. `trouble`: why it could not, or null. */
export function useSignOut(): { signOut: () => void; isPending: boolean; trouble: string | null } {
  const { mutate, isPending, isSuccess, error } = useMutation({
    networkMode: "always",
    mutationFn: signOut,
    // A new document: nothing of what was seen stays in memory.
    onSuccess: (next) => window.location.replace(next ?? SIGN_IN),
  });
  return {
    signOut: () => mutate(),
    isPending: isPending || isSuccess,
    trouble: error ? `You are still signed in: ${error.message}` : null,
  };
}
