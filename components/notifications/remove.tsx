"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { ChannelView, MaintenanceView, RouteView, SilenceView } from "@/server/contracts/notifications";
import { counted } from "@/server/domain/counted";
import { endSilence, NOTIFICATIONS, removeChannel, removeMaintenance, removeRoute } from "../queries/notifications";
import { FormDialog } from "../shell/form-dialog";
import { listed } from "./words";

interface RemoveProps {
  title: string;
  act: string;
  isReady?: boolean;
  remove: () => Promise<unknown>;
  onClose: () => void;
  children: ReactNode;
}

/** Takes something away, after saying what that does. */
function Remove({ title, act, isReady = true, remove, onClose, children }: RemoveProps) {
  const queries = useQueryClient();
  const removing = useMutation({
    mutationFn: remove,
    onSuccess: onClose,
    onSettled: () => queries.invalidateQueries({ queryKey: [NOTIFICATIONS] }),
  });
  return (
    <FormDialog
      title={title}
      act={act}
      isDangerous
      failed="Nothing was changed"
      isReady={isReady}
      isSending={removing.isPending}
      error={removing.error}
      onSubmit={() => removing.mutate()}
      onClose={onClose}
    >
      {children}
    </FormDialog>
  );
}

interface RemoveChannelProps {
  channel: ChannelView;
  /** Those that name it. */
  routes: readonly RouteView[];
  onClose: () => void;
}

/** Removes a channel that no route names. */
export function RemoveChannel({ channel: { id, name, waiting }, routes, onClose }: RemoveChannelProps) {
  return (
    <Remove
      title={`Remove ${name}`}
      act="Remove the channel"
      isReady={routes.length === 0}
      remove={() => removeChannel(id)}
      onClose={onClose}
    >
      {routes.length > 0 ? (
        <p>
          {counted(routes.length, "route names", "routes name")} it: {listed(routes.map((route) => route.name))}. Take
          it out of {routes.length === 1 ? "it" : "them"} first, so that nobody is left untold by accident.
        </p>
      ) : (
        <p>
          Nothing is sent there any more
          {waiting > 0 ? `, not even the ${counted(waiting, "message that waits", "messages that wait")}` : ""}; its
          secrets and the record of its messages go. <b>That can’t be undone.</b>
        </p>
      )}
    </Remove>
  );
}

/** Removes a route. */
export function RemoveRoute({ route: { id, name }, onClose }: { route: RouteView; onClose: () => void }) {
  return (
    <Remove title={`Remove ${name}`} act="Remove the route" remove={() => removeRoute(id)} onClose={onClose}>
      <p>
        Alerts that it took go to the next route that matches, or to nobody. What it has gathered and not told yet isn’t
        told.
      </p>
    </Remove>
  );
}

/** Ends a silence now. */
export function EndSilence({ silence, onClose }: { silence: SilenceView; onClose: () => void }) {
  const { id, state, hides } = silence;
  return (
    <Remove title="End this silence" act="End it now" remove={() => endSilence(id)} onClose={onClose}>
      <p>
        {state === "pending"
          ? "It never begins."
          : hides === 0
            ? "It hides no open alert, so nothing is told because of that."
            : `${counted(hides, "open alert that it hides is", "open alerts that it hides are")} told then, once, where a route says so.`}{" "}
        It stays in the list for 30 days.
      </p>
    </Remove>
  );
}

/** Removes a window that comes again. */
export function RemoveMaintenance({ item, onClose }: { item: MaintenanceView; onClose: () => void }) {
  return (
    <Remove
      title={`Remove ${item.name}`}
      act="Remove the maintenance"
      remove={() => removeMaintenance(item.id)}
      onClose={onClose}
    >
      <p>
        It doesn’t come again
        {item.now === null ? "" : ", and the window that is open ends: what it holds back and still fires is told"}.
      </p>
    </Remove>
  );
}
