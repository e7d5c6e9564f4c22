"use client";
import { Button, Menu } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { User, UserLink } from "@/server/contracts/access";
import { counted } from "@/server/domain/counted";
import { readable } from "@/server/domain/readable";
import { meQuery, usersQuery } from "../queries/access";
import { Age } from "../ui/age";
import { Spoken } from "../ui/spoken";
import { StateMark } from "../ui/state-mark";
import classes from "./access.module.css";
import { AdminPage, Loaded } from "./admin-page";
import { rolesWord } from "./grants-words";
import { AddUser, ChangeUser, DisableUser, NewLink, RemoveUser, UserLinkDialog } from "./user-dialogs";

type Asked =
  | { readonly what: "add" }
  | { readonly what: "change" | "disable" | "link" | "remove"; readonly user: User };

/** Everyone who may come in, and what each may do. */
export function Users() {
  return (
    <AdminPage title="Users" what="Seeing who may come in">
      <List />
    </AdminPage>
  );
}

function List() {
  const query = useQuery(usersQuery());
  const { data: me } = useQuery(meQuery());
  const [asked, setAsked] = useState<Asked | null>(null);
  const [made, setMade] = useState<UserLink | null>(null);
  const close = () => setAsked(null);
  const show = (link: UserLink) => {
    close();
    setMade(link);
  };
  return (
    <div>
      <Loaded query={query} what="the users">
        {(users) => (
          <>
            <div className={classes.bar}>
              <p>{told(users)}</p>
              <Button size="compact-sm" onClick={() => setAsked({ what: "add" })}>
                Add a person…
              </Button>
            </div>
            <table className={classes.table} aria-label="Users">
              <thead>
                <tr>
                  <th scope="col">Name</th>
                  <th scope="col" className={classes.fromWide}>
                    E-mail address
                  </th>
                  <th scope="col">Role</th>
                  <th scope="col" className={classes.fromMedium}>
                    Signs in with
                  </th>
                  <th scope="col" className={`${classes.fromMedium} ${classes.since}`}>
                    Since
                  </th>
                  <th scope="col" className={classes.fromWide}>
                    State
                  </th>
                  <th scope="col" className={classes.actions}>
                    <Spoken>Actions</Spoken>
                  </th>
                </tr>
              </thead>
              <tbody>
                {users.map((user) => (
                  <Row
                    key={user.id}
                    user={user}
                    isMe={user.id === me?.accountId}
                    onAsk={(what) => setAsked({ what, user })}
                  />
                ))}
              </tbody>
            </table>
          </>
        )}
      </Loaded>
      {asked?.what === "add" ? <AddUser onMade={show} onClose={close} /> : null}
      {asked?.what === "change" ? (
        <ChangeUser user={asked.user} isMe={asked.user.id === me?.accountId} onClose={close} />
      ) : null}
      {asked?.what === "disable" ? (
        <DisableUser user={asked.user} isMe={asked.user.id === me?.accountId} onClose={close} />
      ) : null}
      {asked?.what === "remove" ? <RemoveUser user={asked.user} onClose={close} /> : null}
      {asked?.what === "link" ? <NewLink user={asked.user} onMade={show} onClose={close} /> : null}
      {made ? <UserLinkDialog made={made} onClose={() => setMade(null)} /> : null}
    </div>
  );
}

function told(users: readonly User[]): string {
  const disabled = users.filter(({ disabledAt }) => disabledAt !== null).length;
  return `${counted(users.length, "person", "people")}${disabled === 0 ? "" : `, ${disabled} disabled`}`;
}

interface RowProps {
  user: User;
  isMe: boolean;
  onAsk: (what: "change" | "disable" | "link" | "remove") => void;
}

function Row({ user, isMe, onAsk }: RowProps) {
  const { name, email, grants, fromProvider, hasPassword, createdAt, disabledAt } = user;
  const state =
    disabledAt === null ? (
      <StateMark mark="ok" word="May come in" />
    ) : (
      <span>
        <StateMark mark="stale" word="Disabled" /> <Age time={disabledAt} />
      </span>
    );
  return (
    <tr data-user={user.id} data-ended={disabledAt !== null || undefined}>
      <th scope="row">
        {readable(name)}
        {isMe ? <small className={classes.you}>you</small> : null}
        <small className={classes.below}>
          {email ?? "no e-mail address"}
          {disabledAt === null ? "" : ", disabled"}
        </small>
      </th>
      <td className={`${classes.fromWide} ${classes.wide}`}>{email ?? <small>none</small>}</td>
      <td>{rolesWord(grants)}</td>
      <td className={classes.fromMedium}>
        {fromProvider ? "Identity provider" : hasPassword ? "Password or link" : "Link"}
      </td>
      <td className={`${classes.fromMedium} ${classes.time}`}>
        <Age time={createdAt} />
      </td>
      <td className={`${classes.fromWide} ${classes.state}`}>{state}</td>
      <td className={classes.actions}>
        <Menu position="bottom-end" shadow="none" transitionProps={{ duration: 0 }}>
          <Menu.Target>
            <Button size="compact-xs" variant="default" aria-label={`Change ${name}`}>
              Change
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {fromProvider ? (
              <Menu.Label>Name and roles come from the identity provider</Menu.Label>
            ) : (
              <Menu.Item onClick={() => onAsk("change")}>Name, e-mail address, roles…</Menu.Item>
            )}
            {disabledAt === null ? <Menu.Item onClick={() => onAsk("link")}>New sign-in link…</Menu.Item> : null}
            <Menu.Item onClick={() => onAsk("disable")}>{disabledAt === null ? "Disable…" : "Let in again…"}</Menu.Item>
            {isMe ? null : <Menu.Item onClick={() => onAsk("remove")}>Remove and forget…</Menu.Item>}
          </Menu.Dropdown>
        </Menu>
      </td>
    </tr>
  );
}
