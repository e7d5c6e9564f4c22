"use client";
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { Me, SessionView } from "@/server/contracts/access";
import { counted } from "@/server/domain/counted";
import { endSession, meQuery, sessionsQuery, setPassword } from "../queries/access";
import { saidOf } from "../queries/request";
import { SIGN_IN } from "../queries/signed-out";
import { Page } from "../shell/page";
import { Age } from "../ui/age";
import { Failure } from "../ui/feedback";
import { ownRoleWord, ROLE_WORDS } from "../ui/roles";
import { Section } from "../ui/section";
import { Spoken } from "../ui/spoken";
import { MarkShape } from "../ui/state-mark";
import classes from "./access.module.css";
import { Loaded } from "./admin-page";
import { browserWords } from "./browser-words";
import { FormDialog } from "../shell/form-dialog";

/** Who is signed in: what they may do, how they sign in, and where they are signed in. */
export function Account() {
  const query = useQuery(meQuery());
  return (
    <Page title="My account">
      <Loaded query={query} what="your account">
        {(me) => (
          <>
            <Facts me={me} />
            {me.kind === "user" ? (
              <>
                {me.provider === null ? <Password me={me} /> : <FromProvider groups={me.provider.groups} />}
                <Sessions />
              </>
            ) : null}
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Facts({ me }: { me: Me }) {
  const { name, email, role } = me;
  return (
    <dl className={classes.facts}>
      <div>
        <dt>Name</dt>
        <dd>{name}</dd>
      </div>
      <div>
        <dt>E-mail address</dt>
        <dd>{email ?? "none"}</dd>
      </div>
      <div>
        <dt>Role</dt>
        <dd>{role === null ? "none: nothing can be seen" : `${ownRoleWord(me)}. ${ROLE_WORDS[role].about}.`}</dd>
      </div>
    </dl>
  );
}

function FromProvider({ groups }: { groups: readonly string[] }) {
  return (
    <Section title="Signing in">
      <p className={classes.said}>
        You sign in at the identity provider, which says your name and{" "}
        {groups.length === 0 ? "names no group of yours" : `your groups: ${groups.join(", ")}`}. Your role follows from
        them at each sign-in.
      </p>
    </Section>
  );
}

function Password({ me }: { me: Me }) {
  const queries = useQueryClient();
  const set = useMutation({
    mutationFn: ({ email, password }: { email: string; password: string }) => setPassword(email, password),
    onSuccess: async (next, _, __) => {
      queries.setQueryData(meQuery().queryKey, next);
      await queries.invalidateQueries({ queryKey: sessionsQuery().queryKey });
    },
  });
  return (
    <Section title={me.hasPassword ? "Change the password" : "Set a password"}>
      <form
        className={classes.passwordForm}
        method="post"
        onSubmit={(event) => {
          event.preventDefault();
          const form = event.currentTarget;
          const given = new FormData(form);
          set.mutate(
            { email: String(given.get("email")), password: String(given.get("password")) },
            { onSuccess: () => form.reset() },
          );
        }}
      >
        <TextInput
          label="E-mail address to sign in with"
          name="email"
          type="email"
          autoComplete="username"
          key={me.email}
          defaultValue={me.email ?? ""}
          maxLength={254}
          required
          withAsterisk={false}
        />
        <PasswordInput
          label="New password"
          description="12 characters or more; a few words are fine."
          name="password"
          autoComplete="new-password"
          minLength={12}
          maxLength={200}
          required
          withAsterisk={false}
          visibilityToggleButtonProps={{ "aria-label": "Show the password", tabIndex: 0 }}
        />
        {set.error ? (
          <Failure
            what="The password was not set"
            why={saidOf(set.error)}
            advice="The one before still works, if there was one."
          />
        ) : null}
        <Button type="submit" size="sm" loading={set.isPending}>
          {me.hasPassword ? "Change it" : "Set it"}, and sign out elsewhere
        </Button>
        {set.isSuccess ? (
          <p className={classes.said} role="status">
            <MarkShape mark="ok" />
            Done. It works from now on.
          </p>
        ) : null}
      </form>
    </Section>
  );
}

function Sessions() {
  const query = useQuery(sessionsQuery());
  const [isAsked, setAsked] = useState(false);
  return (
    <Section
      title="Where you are signed in"
      aside={
        <Button size="xs" variant="default" onClick={() => setAsked(true)}>
          Sign out everywhere…
        </Button>
      }
    >
      <Loaded query={query} what="your sessions">
        {(sessions) => (
          <table className={classes.table} aria-label="Sessions">
            <thead>
              <tr>
                <th scope="col">Browser</th>
                <th scope="col">From</th>
                <th scope="col">Last used</th>
                <th scope="col" className={classes.fromWide}>
                  Signed in
                </th>
                <th scope="col" className={classes.actions}>
                  <Spoken>Actions</Spoken>
                </th>
              </tr>
            </thead>
            <tbody>
              {sessions.map((session) => (
                <Row key={session.id} session={session} />
              ))}
            </tbody>
          </table>
        )}
      </Loaded>
      {isAsked ? <EndAll count={query.data?.length ?? 0} onClose={() => setAsked(false)} /> : null}
    </Section>
  );
}

function Row({ session: { id, current, agent, address, createdAt, lastUsedAt } }: { session: SessionView }) {
  const queries = useQueryClient();
  const end = useMutation({
    mutationFn: () => endSession(id),
    onSettled: () => queries.invalidateQueries({ queryKey: sessionsQuery().queryKey }),
  });
  return (
    <tr data-session={id} data-current={current || undefined}>
      <th scope="row" title={agent ?? undefined}>
        {browserWords(agent)}
        {current ? <small className={classes.you}>this one</small> : null}
        {end.error ? (
          <small role="alert" className={classes.you}>
            It may not have ended: {end.error.message}
          </small>
        ) : null}
      </th>
      <td className={classes.wide}>{address ?? "unknown"}</td>
      <td className={classes.time}>{current ? "now" : <Age time={lastUsedAt} />}</td>
      <td className={`${classes.fromWide} ${classes.time}`}>
        <Age time={createdAt} />
      </td>
      <td className={classes.actions}>
        {current ? null : (
          <Button size="compact-xs" variant="default" loading={end.isPending} onClick={() => end.mutate()}>
            Sign out
          </Button>
        )}
      </td>
    </tr>
  );
}

function EndAll({ count, onClose }: { count: number; onClose: () => void }) {
  const end = useMutation({
    mutationFn: () => endSession("all"),
    onSuccess: () => window.location.replace(SIGN_IN),
  });
  return (
    <FormDialog
      title="Sign out everywhere"
      act="Sign out everywhere"
      isDangerous
      failed="You may still be signed in"
      isSending={end.isPending || end.isSuccess}
      error={end.error}
      onSubmit={() => end.mutate()}
      onClose={onClose}
    >
      <p>{counted(count, "session ends", "sessions end")} within two seconds, this one too. Keys are not affected.</p>
    </FormDialog>
  );
}
