"use client";
import { Checkbox } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { counted } from "@/server/domain/counted";
import { useLive } from "../live/provider";
import { useMayEverywhere } from "../queries/access";
import { deleteDevice, type DescribedDevice, deviceQuery } from "../queries/device";
import { FLEET_ORDER } from "../queries/devices";
import { FormDialog } from "../shell/form-dialog";
import { forgetDevice } from "../shell/recent-devices";

/** Deletes a device, once it is said what goes with it. */
export function DeleteDevice({ device, onClose }: { device: DescribedDevice; onClose: () => void }) {
  const { id, notes } = device;
  const queries = useQueryClient();
  const live = useLive();
  const messages = useQuery(deviceQuery(live, id)).data?.messages ?? 0;
  const router = useRouter();
  const seesProof = useMayEverywhere("administer");
  const [erases, setErases] = useState(false);
  const remove = useMutation({
    mutationFn: () => deleteDevice(id, erases),
    onSuccess: () => {
      forgetDevice(id);
      // Its page is left: asked for once more, it would say that there is no such device.
      void queries.cancelQueries({ queryKey: deviceQuery(live, id).queryKey });
      void queries.invalidateQueries({ refetchType: "none" });
      // The list that is gone to would begin with the order it had, and the device in it.
      queries.removeQueries({ queryKey: [FLEET_ORDER] });
      router.push(erases && seesProof ? "/retention" : "/devices");
    },
  });
  return (
    <FormDialog
      title={`Delete ${id}`}
      act={erases ? "Erase" : "Delete"}
      isDangerous
      failed="It was not deleted"
      isSending={remove.isPending || remove.isSuccess}
      error={remove.error}
      onSubmit={() => remove.mutate()}
      onClose={onClose}
    >
      <p>
        <b>
          Everything stored of {counted(messages, "message")} from {id}
        </b>{" "}
        is removed for good: its readings and latest values, its site, type and units
        {notes === null ? "" : ", and its notes"}.
      </p>
      <Checkbox
        size="sm"
        label="Erase it from every store, with a proof"
        checked={erases}
        onChange={(event) => setErases(event.currentTarget.checked)}
      />
      {erases ? (
        <p>
          Its messages in the archive and in the event log, its dead letters, alerts and events go too, and its name
          wherever people wrote it. Every store is looked through afterwards; what was found shows on Retention. Kafka
          keeps its messages until the topic&apos;s retention ends, and backups have them until you delete these.
          Messages that still come under its name are dropped.
        </p>
      ) : (
        <p>
          It is gone from every list and chart at once; a job then removes what is stored. Its messages in the archive
          and its dead letters stay as they came. When it sends again, it comes back as a new device: stop it first.
        </p>
      )}
      <p>
        <a href={`/api/v1/personal-data.jsonl?device=${encodeURIComponent(id)}`} download>
          Download all that is stored about it
        </a>
      </p>
    </FormDialog>
  );
}
