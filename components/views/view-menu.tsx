"use client";
import { Button, Menu } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { addressOf } from "@/server/contracts/view-pages";
import type { SavedView, ViewChanges } from "@/server/contracts/views";
import { readable } from "@/server/domain/readable";
import { saidOf } from "../queries/request";
import { changeView, removeView, VIEWS } from "../queries/views";
import { beforeOf } from "./order";
import classes from "./views.module.css";

interface ViewMenuProps {
  readonly view: SavedView;
  /** Those of its page, in order. */
  readonly views: readonly SavedView[];
  readonly mayChange: boolean;
  readonly onChange: () => void;
  /** @param before the view that it stood before; null: it was the last */
  readonly onDeleted: (before: number | null) => void;
}

/** What can be done with the view that is open. */
export function ViewMenu({ view, views, mayChange, onChange, onDeleted }: ViewMenuProps) {
  const queries = useQueryClient();
  const reload = () => queries.invalidateQueries({ queryKey: [VIEWS] });
  const change = useMutation({ mutationFn: (changes: ViewChanges) => changeView(view.id, changes), onSuccess: reload });
  const remove = useMutation({
    mutationFn: () => removeView(view.id),
    onSuccess: () => {
      onDeleted(views[views.findIndex(({ id }) => id === view.id) + 1]?.id ?? null);
      return reload();
    },
  });
  const move = (by: -1 | 1) => {
    const before = beforeOf(views, view.id, by);
    return before === undefined ? undefined : () => change.mutate({ before });
  };
  const [left, right] = [move(-1), move(1)];
  const trouble = change.error ?? remove.error;
  return (
    <Menu position="bottom-end" shadow="sm" width={208} transitionProps={{ duration: 0 }} closeOnItemClick={false}>
      <Menu.Target>
        <Button size="compact-xs" variant="default" aria-label={`View ${readable(view.name)}`}>
          View …
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {mayChange ? (
          <>
            <Menu.Item closeMenuOnClick onClick={onChange}>
              Name, pins and sharing
            </Menu.Item>
            <Menu.Item disabled={left === undefined || change.isPending} onClick={left}>
              Move left
            </Menu.Item>
            <Menu.Item disabled={right === undefined || change.isPending} onClick={right}>
              Move right
            </Menu.Item>
          </>
        ) : null}
        <Menu.Item
          closeMenuOnClick
          onClick={() => void navigator.clipboard?.writeText(new URL(addressOf(view), window.location.href).href)}
        >
          Copy the link
        </Menu.Item>
        {mayChange ? (
          <Menu.Item closeMenuOnClick disabled={remove.isPending} onClick={() => remove.mutate()}>
            {view.shared ? "Delete for everyone" : "Delete"}
          </Menu.Item>
        ) : (
          <p className={classes.hint}>It is everyone&apos;s: who may operate at all sites changes it.</p>
        )}
        {trouble ? (
          <p className={classes.hint} role="alert">
            Nothing was changed: {saidOf(trouble)}
          </p>
        ) : null}
      </Menu.Dropdown>
    </Menu>
  );
}
