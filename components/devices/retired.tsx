"use client";
import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { DeviceDetail } from "@/server/contracts/devices";
import { useLive } from "../live/provider";
import { useMay } from "../queries/access";
import { deviceQuery, saveProperties } from "../queries/device";
import { saidOf } from "../queries/request";
import { Age } from "../ui/age";
import { formatInstant } from "../ui/format";
import { MarkShape } from "../ui/state-mark";
import { useZone } from "../ui/zone";
import classes from "./device.module.css";

/** Says that a device is retired, and undoes it; or that it came back by itself. */
export function Retired({ device }: { device: Pick<DeviceDetail, "id" | "site" | "retiredAt" | "returnedAt"> }) {
  const { id, site, retiredAt, returnedAt } = device;
  const { zone } = useZone();
  const mayEdit = useMay("edit", site);
  const queries = useQueryClient();
  const live = useLive();
  const undo = useMutation({
    mutationFn: () => saveProperties(id, { retired: false }, null),
    onSuccess: () => queries.invalidateQueries({ queryKey: deviceQuery(live, id).queryKey }),
  });
  if (retiredAt === null)
    return (
      <p className={classes.conflict} data-fact="returned">
        <MarkShape mark="warning" />
        <span>
          Returned: it had been retired, and was heard again <Age time={returnedAt!} />, at{" "}
          {formatInstant(Date.parse(returnedAt!), zone)}. It is in lists, counts and alerts again.
        </span>
      </p>
    );
  return (
    <div className={classes.conflict} data-fact="retired">
      <MarkShape mark="unknown" />
      <span>
        Retired since {formatInstant(Date.parse(retiredAt), zone)} (<Age time={retiredAt} />
        ): all it has sent is kept; lists, counts and silence leave it out. If it sends again, it is back.{" "}
        {mayEdit ? (
          <Button size="compact-xs" variant="default" loading={undo.isPending} onClick={() => undo.mutate()}>
            Undo
          </Button>
        ) : null}
        {undo.error ? <span role="alert"> It is still retired: {saidOf(undo.error)}</span> : null}
      </span>
    </div>
  );
}
