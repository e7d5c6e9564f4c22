"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { counted } from "@/server/domain/counted";
import { useLive } from "../live/provider";
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
  const remove = useMutation({
    mutationFn: () => deleteDevice(id),
    onSuccess: () => {
      forgetDevice(id);
      // Its page is left: asked for once more, it would say that there is no such device.
      void queries.cancelQueries({ queryKey: deviceQuery(live, id).queryKey });
      void queries.invalidateQueries({ refetchType: "none" });
      // The list that is gone to would begin with the order it had, and the device in it.
      queries.removeQueries({ queryKey: [FLEET_ORDER] });
      router.push("/devices");
    },
  });
  return (
    <FormDialog
      title={`Delete ${id}`}
      act="Delete"
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
      <p>
        It is gone from every list and chart at once; a job then removes what is stored. Its messages in the archive and
        its dead letters stay as they came. When it sends again, it comes back as a new device: stop it first.
      </p>
    </FormDialog>
  );
}
