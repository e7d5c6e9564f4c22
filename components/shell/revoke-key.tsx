"use client";
import { type QueryKey, useMutation, useQueryClient } from "@tanstack/react-query";
import type { KeyView } from "@/server/contracts/access";
import { revokeKey } from "../queries/access";
import { Age } from "../ui/age";
import { FormDialog } from "./form-dialog";

interface RevokeKeyProps {
  accessKey: Pick<KeyView, "id" | "lastUsedAt">;
  /** What the key is called in the title. */
  called: string;
  /** Where it was used from last, if that is to be told. */
  lastUsedFrom?: string | null;
  /** The queries that show the key. */
  shownBy: QueryKey;
  onClose: () => void;
}

/** Ends a key for good, after saying what that does. */
export function RevokeKey({ accessKey, called, lastUsedFrom = null, shownBy, onClose }: RevokeKeyProps) {
  const queries = useQueryClient();
  const { id, lastUsedAt } = accessKey;
  const revoke = useMutation({
    mutationFn: () => revokeKey(id),
    onSuccess: onClose,
    onSettled: () => queries.invalidateQueries({ queryKey: shownBy }),
  });
  return (
    <FormDialog
      title={`Revoke ${called}`}
      act="Revoke"
      isDangerous
      failed="It may still work"
      isSending={revoke.isPending}
      error={revoke.error}
      onSubmit={() => revoke.mutate()}
      onClose={onClose}
    >
      <p>
        Whatever uses it is <b>refused at once</b>. That can’t be undone: a new key is needed.
      </p>
      <p>
        {lastUsedAt === null ? (
          "It was never used."
        ) : (
          <>
            It was used last <Age time={lastUsedAt} />
            {lastUsedFrom === null ? "" : ` from ${lastUsedFrom}`}.
          </>
        )}
      </p>
    </FormDialog>
  );
}
