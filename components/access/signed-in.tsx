"use client";
import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";
import type { Me } from "@/server/contracts/access";
import { signOut } from "../queries/access";
import { Copyable } from "../ui/feedback";
import { ownRoleWord } from "../ui/roles";
import { exampleRule } from "./sign-in-words";
import classes from "./sign-in.module.css";

interface SignedInProps {
  me: Me;
  notice: ReactNode;
  onGo: () => void;
  onSignedOut: () => void;
}

/** For who is signed in already: as whom, and the way on. */
export function SignedIn({ me, notice, onGo, onSignedOut }: SignedInProps) {
  const [trouble, setTrouble] = useState<string | null>(null);
  const maySee = me.permissions.includes("view");
  return (
    <>
      <h1 className={classes.title}>You are signed in</h1>
      {notice}
      <p className={classes.text}>
        As <b>{me.name}</b>
        {me.email === null ? "" : ` (${me.email})`}, {ownRoleWord(me).toLowerCase()}.
        {maySee || me.provider !== null
          ? ""
          : " Nothing can be seen without a role: whoever administers Fieldwatch can give you one, under Users."}
      </p>
      {maySee || me.provider === null ? null : <NoRole provider={me.provider} />}
      <div className={classes.buttons}>
        {maySee ? <Button onClick={onGo}>Go on</Button> : null}
        <Button
          variant="default"
          onClick={() => {
            setTrouble(null);
            const left = (next: string | null) => (next === null ? onSignedOut() : window.location.replace(next));
            signOut().then(left, (error: Error) => setTrouble(error.message));
          }}
        >
          Sign out
        </Button>
      </div>
      {trouble ? (
        <p className={classes.text} role="alert">
          You are still signed in: {trouble}
        </p>
      ) : null}
    </>
  );
}

/** For who came from the identity provider and is in no group that has a role: what came, and what to ask for. */
function NoRole({ provider: { groups, missingSites } }: { provider: NonNullable<Me["provider"]> }) {
  return (
    <div className={classes.hint} data-no-role>
      <p>
        {groups.length === 0 ? (
          "The identity provider named no group of yours, so you have no role here and nothing can be seen."
        ) : (
          <>
            The identity provider named {groups.length === 1 ? "this group" : "these groups"} of yours:{" "}
            <b>{groups.join(", ")}</b>.{" "}
            {missingSites.length === 0
              ? "None of them has a role here, so nothing can be seen."
              : `Their roles are for ${missingSites.join(", ")}, which isn’t known here yet: no device has named it.`}
          </>
        )}
      </p>
      {missingSites.length > 0 ? null : groups.length === 0 ? (
        <p>
          Tell whoever administers Fieldwatch: the claim that OIDC_ROLES_CLAIM names must come with you, and OIDC_SCOPE
          may have to ask for it.
        </p>
      ) : (
        <>
          <p>Tell whoever administers Fieldwatch: one of them must be in OIDC_ROLES, such as</p>
          <Copyable text={exampleRule(groups[0]!)} label="Copy the setting" />
        </>
      )}
      <p>It counts from your next sign-in on.</p>
    </div>
  );
}
