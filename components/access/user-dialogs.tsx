"use client";
import { TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { User, UserGrant, UserLink } from "@/server/contracts/access";
import { ACCESS, addUser, changeUser, makeUserLink, meQuery, removeUser, type UserChanges } from "../queries/access";
import { formatTick } from "../ui/format";
import { serverNow } from "../ui/server-time";
import { useZone } from "../ui/zone";
import { FormDialog } from "../shell/form-dialog";
import { GrantsEditor } from "./grants-editor";
import { administers, changesIn, isSame } from "./grants-words";
import { OnceDialog } from "../ui/once-dialog";

const HOUR_MS = 3_600_000;

interface Draft {
  readonly name: string;
  readonly email: string;
  readonly grants: readonly UserGrant[];
}

function Fields({ draft, onChange }: { draft: Draft; onChange: (draft: Draft) => void }) {
  return (
    <>
      <TextInput
        label="Name"
        value={draft.name}
        onChange={(event) => onChange({ ...draft, name: event.currentTarget.value })}
        maxLength={100}
        autoComplete="off"
        required
        withAsterisk={false}
        data-autofocus
      />
      <TextInput
        label="E-mail address, to sign in with a password"
        placeholder="none: by link alone"
        type="email"
        value={draft.email}
        onChange={(event) => onChange({ ...draft, email: event.currentTarget.value })}
        maxLength={254}
        autoComplete="off"
      />
      <GrantsEditor grants={draft.grants} onChange={(grants) => onChange({ ...draft, grants })} />
    </>
  );
}

/** Lets a person in, by a link to hand over. */
export function AddUser({ onMade, onClose }: { onMade: (made: UserLink) => void; onClose: () => void }) {
  const queries = useQueryClient();
  const [draft, setDraft] = useState<Draft>({ name: "", email: "", grants: [{ role: "viewer", site: null }] });
  const add = useMutation({
    mutationFn: () => addUser({ name: draft.name.trim(), email: draft.email.trim() || null, grants: draft.grants }),
    onSuccess: onMade,
    onSettled: () => queries.invalidateQueries({ queryKey: [ACCESS] }),
  });
  return (
    <FormDialog
      title="Add a person"
      act="Add and make a link"
      failed="Nobody was added"
      isReady={draft.name.trim() !== ""}
      isSending={add.isPending}
      error={add.error}
      onSubmit={() => add.mutate()}
      onClose={onClose}
    >
      <Fields draft={draft} onChange={setDraft} />
    </FormDialog>
  );
}

interface OfUser {
  user: User;
  isMe: boolean;
  onClose: () => void;
}

/** Changes what is said of a person, or what they may do. */
export function ChangeUser({ user, isMe, onClose }: OfUser) {
  const queries = useQueryClient();
  const before: Draft = { name: user.name, email: user.email ?? "", grants: user.grants };
  const [draft, setDraft] = useState(before);
  const [name, email] = [draft.name.trim(), draft.email.trim()];
  const changes: UserChanges = {
    ...(name === before.name ? {} : { name }),
    ...(email === before.email ? {} : { email: email || null }),
    ...(isSame(draft.grants, user.grants) ? {} : { grants: draft.grants }),
  };
  const change = useMutation({
    mutationFn: () => changeUser(user.id, changes),
    onSuccess: onClose,
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: [ACCESS] }),
        isMe ? queries.invalidateQueries({ queryKey: meQuery().queryKey }) : undefined,
      ]),
  });
  return (
    <FormDialog
      title={`Change ${user.name}`}
      act="Save"
      failed="Nothing was changed"
      isReady={name !== "" && Object.keys(changes).length > 0 && changes.grants?.length !== 0}
      isSending={change.isPending}
      error={change.error}
      onSubmit={() => change.mutate()}
      onClose={onClose}
    >
      <Fields draft={draft} onChange={setDraft} />
      {changes.grants === undefined ? null : (
        <p role="status">
          <b>{changesIn(user.grants, changes.grants).join(". ") || "It comes to the same"}.</b>{" "}
          {isMe ? "You are" : `${user.name} is`} signed out everywhere, and {isMe ? "have" : "has"} these roles from the
          next sign-in on.
          {isMe && administers(user.grants) && !administers(changes.grants) ? " You can’t let others in then." : ""}
        </p>
      )}
      {changes.email === null && user.hasPassword ? (
        <p>Without an e-mail address the password can’t be used any more.</p>
      ) : null}
    </FormDialog>
  );
}

/** Keeps a person out, or lets them in again. */
export function DisableUser({ user, isMe, onClose }: OfUser) {
  const queries = useQueryClient();
  const isIn = user.disabledAt === null;
  const change = useMutation({
    mutationFn: () => changeUser(user.id, { disabled: isIn }),
    onSuccess: onClose,
    onSettled: () => queries.invalidateQueries({ queryKey: [ACCESS] }),
  });
  return (
    <FormDialog
      title={isIn ? `Disable ${user.name}` : `Let ${user.name} in again`}
      act={isIn ? "Disable" : "Let in again"}
      isDangerous={isIn}
      failed="Nothing was changed"
      isSending={change.isPending}
      error={change.error}
      onSubmit={() => change.mutate()}
      onClose={onClose}
    >
      {isIn ? (
        <p>
          <b>{isMe ? "You are" : `${user.name} is`} signed out everywhere</b> and can’t come in again, by password or
          link, until that is undone here. Keys stay: they belong to programs.
        </p>
      ) : (
        <p>{user.name} can sign in as before, with the same roles and password.</p>
      )}
    </FormDialog>
  );
}

/** Removes a person for good. */
export function RemoveUser({ user, onClose }: Omit<OfUser, "isMe">) {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => removeUser(user.id),
    onSuccess: onClose,
    onSettled: () => queries.invalidateQueries({ queryKey: [ACCESS] }),
  });
  return (
    <FormDialog
      title={`Remove ${user.name}`}
      act="Remove and forget"
      isDangerous
      failed="Nothing was removed"
      isSending={remove.isPending}
      error={remove.error}
      onSubmit={() => remove.mutate()}
      onClose={onClose}
    >
      <p>
        <b>{user.name} is signed out everywhere and can’t come back.</b> The audit record keeps what was done, as user{" "}
        {user.id}: the name, e-mail and IP addresses are erased from it for good.
      </p>
      <p>To keep somebody out and the record telling who it was, disable them instead.</p>
    </FormDialog>
  );
}

/** Makes another link for a person. */
export function NewLink({ user, onMade, onClose }: Omit<OfUser, "isMe"> & { onMade: (made: UserLink) => void }) {
  const make = useMutation({ mutationFn: () => makeUserLink(user.id), onSuccess: onMade });
  return (
    <FormDialog
      title={`New sign-in link for ${user.name}`}
      act="Make the link"
      failed="No link was made"
      isSending={make.isPending}
      error={make.error}
      onSubmit={() => make.mutate()}
      onClose={onClose}
    >
      <p>An earlier link of {user.name} ends. Where they are signed in they stay so.</p>
    </FormDialog>
  );
}

/** A link to hand over, shown once. */
export function UserLinkDialog({ made: { user, link }, onClose }: { made: UserLink; onClose: () => void }) {
  const { zone } = useZone();
  const [until] = useState(() => serverNow() + HOUR_MS);
  return (
    <OnceDialog title={`Sign-in link for ${user.name}`} texts={[{ label: "The link", text: link }]} onClose={onClose}>
      <p>
        Give it to {user.name} by a way you trust: whoever opens it first is {user.name}. It works{" "}
        <b>once, until {formatTick(until, zone, HOUR_MS)}</b>, and is not shown again.
      </p>
    </OnceDialog>
  );
}
