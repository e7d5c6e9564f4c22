"use client";
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { Me, WaysIn } from "@/server/contracts/access";
import { meQuery, providerAddress, readMe, signIn, signInByLink, waysInQuery } from "../queries/access";
import { useProofAsked } from "../queries/step-up";
import { Copyable } from "../ui/feedback";
import { FormDialog } from "./form-dialog";
import { PROVEN, secretOf } from "./step-up-words";

/** Asks who is signed in to sign in again, in place, whenever the server wants that before it does something. */
export function StepUp() {
  const asked = useProofAsked();
  const { data: me } = useQuery(meQuery());
  const { data: ways } = useQuery({ ...waysInQuery(), enabled: asked !== null });
  if (asked === null || !me || !ways) return null;
  return <Question me={me} ways={ways} settle={asked.settle} />;
}

interface QuestionProps {
  me: Me;
  ways: WaysIn;
  settle: (isProven: boolean) => void;
}

function Question({ me, ways, settle }: QuestionProps) {
  const queries = useQueryClient();
  const [given, setGiven] = useState("");
  const [isAway, setAway] = useState(false);
  const byPassword = me.hasPassword && me.email !== null && ways.password;
  const byProvider = me.provider !== null && ways.provider !== null;
  const done = (next: Me) => {
    queries.setQueryData(meQuery().queryKey, next);
    // Who has come in as somebody else must not do what the one before was about to do.
    settle(next.accountId === me.accountId);
  };
  const prove = useMutation({
    mutationFn: () => (byPassword ? signIn(me.email!, given) : signInByLink(secretOf(given))),
    onSuccess: done,
  });
  useComingBack(isAway, done);
  const notice = <p>What you are about to do outlasts this session, so it takes a sign-in of the last ten minutes.</p>;
  if (byProvider)
    return (
      <FormDialog
        title="Sign in again"
        act={isAway ? "Waiting for you" : `Sign in with ${ways.provider!.name}`}
        isSending={isAway}
        failed="You are not signed in again"
        error={null}
        onSubmit={() => {
          window.open(providerAddress(PROVEN, true), "_blank");
          setAway(true);
        }}
        onClose={() => settle(false)}
      >
        {notice}
        <p>
          {ways.provider!.isAway
            ? `${ways.provider!.name} does not answer at the moment.`
            : `${ways.provider!.name} opens in another tab; this goes on by itself afterwards.`}
        </p>
        {isAway ? (
          <p>
            Nothing has opened?{" "}
            <Button
              component="a"
              size="compact-xs"
              variant="default"
              href={providerAddress(PROVEN, true)}
              target="_blank"
            >
              Open it
            </Button>
          </p>
        ) : null}
      </FormDialog>
    );
  return (
    <FormDialog
      title="Sign in again"
      act="Go on"
      isReady={given.trim() !== ""}
      isSending={prove.isPending}
      failed="You are not signed in again"
      error={prove.error}
      onSubmit={() => prove.mutate()}
      onClose={() => settle(false)}
    >
      {notice}
      {byPassword ? (
        <PasswordInput
          label={`Password of ${me.email}`}
          value={given}
          onChange={(event) => setGiven(event.currentTarget.value)}
          autoComplete="current-password"
          maxLength={200}
          data-autofocus
          visibilityToggleButtonProps={{ "aria-label": "Show the password", tabIndex: 0 }}
        />
      ) : (
        <>
          <TextInput
            label="Sign-in link"
            description="From another administrator, or made on the machine that Fieldwatch runs on:"
            value={given}
            onChange={(event) => setGiven(event.currentTarget.value)}
            autoComplete="off"
            spellCheck={false}
            data-autofocus
          />
          <Copyable text="npm run sign-in-link" label="Copy the command" />
        </>
      )}
    </FormDialog>
  );
}

/** While somebody signs in in another tab, asks whether they have. */
function useComingBack(isAway: boolean, onProven: (me: Me) => void): void {
  useEffect(() => {
    if (!isAway) return;
    const timer = setInterval(() => {
      void readMe()
        .then((me) => (me.isProven ? onProven(me) : undefined))
        // Neither signed in as before nor anew yet.
        .catch(() => undefined);
    }, 1000);
    return () => clearInterval(timer);
  });
}
