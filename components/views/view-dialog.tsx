"use client";
import { Checkbox, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { VIEW_NAME_LENGTH, type ViewPage } from "@/server/contracts/view-pages";
import type { SavedView } from "@/server/contracts/views";
import { addView, changeView, VIEWS } from "../queries/views";
import { FormDialog } from "../shell/form-dialog";

interface ViewDialogProps {
  readonly page: ViewPage;
  /** What the page shows now. */
  readonly query: string;
  /** The one to change; null: a new one. */
  readonly view: SavedView | null;
  /** True for who may change what is everyone's. */
  readonly mayShare: boolean;
  readonly onSaved: (view: SavedView) => void;
  readonly onClose: () => void;
}

/** Asks what a view is called, whose it is and where it is pinned. */
export function ViewDialog({ page, query, view, mayShare, onSaved, onClose }: ViewDialogProps) {
  const queries = useQueryClient();
  const [name, setName] = useState(view?.name ?? "");
  const [isShared, setShared] = useState(view?.shared ?? false);
  const [onOverview, setOnOverview] = useState(view?.onOverview ?? false);
  const [onWall, setOnWall] = useState(view?.onWall ?? false);
  const said = { name: name.trim(), shared: isShared, onOverview, onWall };
  const save = useMutation({
    mutationFn: () => (view === null ? addView({ page, query, ...said }) : changeView(view.id, said)),
    onSuccess: async (saved) => {
      await queries.invalidateQueries({ queryKey: [VIEWS] });
      onSaved(saved);
      onClose();
    },
  });
  return (
    <FormDialog
      title={view === null ? "Save view" : "Change view"}
      act="Save"
      failed="Nothing was saved"
      isSending={save.isPending}
      isReady={said.name !== ""}
      error={save.error}
      onSubmit={() => save.mutate()}
      onClose={onClose}
    >
      <TextInput
        label="Name"
        {...(view === null && { description: "Keeps the filters, the order and the columns that are shown now" })}
        data-autofocus
        maxLength={VIEW_NAME_LENGTH}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Checkbox
        label="For everyone"
        description={
          mayShare
            ? "Who opens it sees what they may see. Who may operate at all sites can change it."
            : "Takes the permission to operate at all sites"
        }
        disabled={!mayShare}
        checked={isShared}
        onChange={(event) => setShared(event.currentTarget.checked)}
      />
      <Checkbox
        label={isShared ? "Pin to everyone's overview" : "Pin to your overview"}
        checked={onOverview}
        onChange={(event) => setOnOverview(event.currentTarget.checked)}
      />
      <Checkbox
        label={isShared ? "Pin to the wall" : "Pin to the wall, as you see it"}
        checked={onWall}
        onChange={(event) => setOnWall(event.currentTarget.checked)}
      />
    </FormDialog>
  );
}
