"use client";
import { useQuery } from "@tanstack/react-query";
import type { SignInSettings as Settings } from "@/server/contracts/access";
import { counted } from "@/server/domain/counted";
import { signInSettingsQuery } from "../queries/access";
import { Age } from "../ui/age";
import { Copyable } from "../ui/feedback";
import { ROLE_WORDS } from "../ui/roles";
import { Section } from "../ui/section";
import { StateMark } from "../ui/state-mark";
import classes from "./access.module.css";
import { AdminPage, Loaded } from "./admin-page";

/** How people sign in: all of it comes from the configuration, and each line says from which variable. */
export function SignInSettings() {
  return (
    <AdminPage title="Sign-in settings" what="Seeing how people sign in">
      <Inside />
    </AdminPage>
  );
}

function Inside() {
  const query = useQuery(signInSettingsQuery());
  return (
    <Loaded query={query} what="the settings">
      {({ passwordSignIn, provider }) => (
        <>
          <dl className={classes.facts}>
            <Setting title="Sign-in links" from="npm run sign-in-link">
              always taken
            </Setting>
            <Setting title="Passwords" from="PASSWORD_SIGN_IN">
              {passwordSignIn ? "taken" : "not taken"}
            </Setting>
            {provider === null ? (
              <Setting title="Identity provider" from="OIDC_ISSUER">
                none
              </Setting>
            ) : null}
          </dl>
          {provider === null ? null : <Provider provider={provider} />}
        </>
      )}
    </Loaded>
  );
}

function Provider({ provider }: { provider: NonNullable<Settings["provider"]> }) {
  const { name, issuer, clientId, hasSecret, scope, rolesClaim, rules, addresses, asked, signsOut, people } = provider;
  return (
    <>
      <Section title={name}>
        <dl className={classes.facts}>
          <Setting title="Asked" from={null}>
            <StateMark
              mark={asked.why === null ? "ok" : "failing"}
              word={asked.why === null ? "Answers" : "Does not answer"}
            />{" "}
            <Age time={asked.at} />
            {asked.why === null ? null : <small className={classes.below}>{asked.why}</small>}
          </Setting>
          <Setting title="Issuer" from="OIDC_ISSUER">
            {issuer}
          </Setting>
          <Setting title="Client" from="OIDC_CLIENT_ID">
            {clientId}, {hasSecret ? "with a secret" : "without a secret"}
          </Setting>
          <Setting title="Scope" from="OIDC_SCOPE">
            {scope}
          </Setting>
          <Setting title="Groups" from="OIDC_ROLES_CLAIM">
            in the claim {rolesClaim}
          </Setting>
          <Setting title="People" from={null}>
            {people === 0
              ? "nobody has come from there yet"
              : `${counted(people, "person has", "people have")} come from there`}
          </Setting>
        </dl>
      </Section>
      <Section
        title="Roles by group"
        aside={<span className={classes.from}>From OIDC_ROLES, at each person’s next sign-in</span>}
      >
        <table className={classes.table} aria-label="Roles by group">
          <thead>
            <tr>
              <th scope="col">Group</th>
              <th scope="col">Role</th>
              <th scope="col">Where</th>
            </tr>
          </thead>
          <tbody>
            {rules.map(({ group, role, site, isThere }, i) => (
              <tr key={i}>
                <th scope="row">{group}</th>
                <td>{ROLE_WORDS[role].title}</td>
                <td>
                  {site ?? "everywhere"}
                  {isThere ? null : <small> not known yet: no device has named it</small>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Section>
      <Section title="What the provider must know">
        {[
          ["Redirect URI", addresses.callback],
          ["Back-channel logout URI", addresses.logout],
          ...(signsOut ? [["Post-logout redirect URI", addresses.signedOut] as const] : []),
        ].map(([label, text]) => (
          <div key={label} className={classes.once}>
            <p>{label}</p>
            <Copyable text={text!} label={`Copy: ${label}`} />
          </div>
        ))}
      </Section>
    </>
  );
}

function Setting({ title, from, children }: { title: string; from: string | null; children: React.ReactNode }) {
  return (
    <div>
      <dt>{title}</dt>
      <dd>
        {children} {from === null ? null : <small>{from}</small>}
      </dd>
    </div>
  );
}
