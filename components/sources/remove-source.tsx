"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import type { SourceCounts } from "@/server/contracts/sources";
import { removeSource, SOURCES } from "../queries/sources";
import { FormDialog } from "../shell/form-dialog";
import { Age } from "../ui/age";

interface RemoveSourceProps {
  name: string;
  counts: Pick<SourceCounts, "lastSeen">;
  onClose: () => void;
}

/** Removes a source, after saying what that does. */
export function RemoveSource({ name, counts: { lastSeen }, onClose }: RemoveSourceProps) {
  const queries = useQueryClient();
  const router = useRouter();
  const remove = useMutation({
    mutationFn: () => removeSource(name),
    onSuccess: () => {
      router.push("/sources");
      queries.removeQueries({ queryKey: [SOURCES, "one", name] });
    },
    onSettled: () => queries.invalidateQueries({ queryKey: [SOURCES, "list"] }),
  });
  return (
    <FormDialog
      title={`Remove ${name}`}
      act="Remove"
      isDangerous
      failed="It was not removed"
      isSending={remove.isPending}
      error={remove.error}
      onSubmit={() => remove.mutate()}
      onClose={onClose}
    >
      <p>
        Its keys end, and <b>what its sender sends is refused at once</b>. Its mapping, counts and last payloads are
        gone. Devices, readings, messages and dead letters stay as they are.
      </p>
      <p>
        {lastSeen === null ? (
          "Nothing has ever come from it."
        ) : (
          <>
            Something came last <Age time={lastSeen} />.
          </>
        )}
      </p>
    </FormDialog>
  );
}
