"use client";
import { Button } from "@mantine/core";
import { useEffect, useEffectEvent, useState } from "react";
import type { Me, WaysIn } from "@/server/contracts/access";
import { providerAddress, readMe, readWaysIn, signInByLink } from "../queries/access";
import { wayBack } from "../queries/signed-out";
import { BrandMark } from "../ui/brand";
import { ClockProvider } from "../ui/clock";
import { Copyable } from "../ui/feedback";
import { MarkShape } from "../ui/state-mark";
import ui from "../ui/ui.module.css";
import { PasswordForm } from "./password-form";
import { SignedIn } from "./signed-in";
import { providerTrouble, secretIn, type Trouble, troubleOf, twoCookies } from "./sign-in-words";
import classes from "./sign-in.module.css";

type Phase =
  /** Before it is known whether there is a link in the address. */
  | { readonly at: "start" }
  | { readonly at: "link" }
  | { readonly at: "form"; readonly ways: WaysIn }
  /** In a tab that was opened to sign in again. */
  | { readonly at: "proven" }
  | { readonly at: "signedIn"; readonly me: Me }
  | { readonly at: "leaving" };

/** The sign-in page: takes a link from the address, or e-mail address and password. */
export function SignIn() {
  return (
    <ClockProvider>
      <main className={classes.page}>
        <p className={classes.brand}>
          <BrandMark />
          Fieldwatch
        </p>
        <Inside />
      </main>
    </ClockProvider>
  );
}

function Inside() {
  const [phase, setPhase] = useState<Phase>({ at: "start" });
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  // Kept only while the same link may still work.
  const [secret, setSecret] = useState<string | null>(null);

  const leave = () => {
    setPhase({ at: "leaving" });
    // A new document, in place of this one: nothing of before is kept, and Back doesn't come here.
    window.location.replace(wayBack(new URLSearchParams(window.location.search).get("to")));
  };
  /** Whoever is signed in already needs no form. */
  const lookAround = async () => {
    const nobody = (error: unknown) => {
      const found = twoCookies(error);
      if (found !== null) setTrouble(found);
      return null;
    };
    const [me, ways] = await Promise.all([readMe().catch(nobody), readWaysIn().catch(() => LINKS_AND_PASSWORDS)]);
    setPhase(me === null ? { at: "form", ways } : { at: "signedIn", me });
  };
  const takeLink = async (link: string) => {
    setPhase({ at: "link" });
    setTrouble(null);
    try {
      await signInByLink(link);
      leave();
    } catch (error) {
      const found = troubleOf(error, "link");
      setTrouble(found);
      setSecret(found.isPassing ? link : null);
      await lookAround();
    }
  };
  const arrive = useEffectEvent(() => {
    const link = secretIn(window.location.hash);
    const asked = new URLSearchParams(window.location.search);
    if (asked.has("proven") && !asked.has("trouble")) {
      window.close();
      return setPhase({ at: "proven" });
    }
    setTrouble(providerTrouble(asked.get("trouble")));
    if (link === null) return phase.at === "start" ? void lookAround() : undefined;
    // At once: neither the history nor a screenshot shall hold it.
    window.history.replaceState(window.history.state, "", window.location.pathname + window.location.search);
    void takeLink(link);
  });
  useEffect(() => {
    // Not at once: an effect may run twice, a link works once.
    const begin = setTimeout(() => arrive());
    // A link pasted into the address bar of this very page loads nothing.
    const onHash = () => arrive();
    window.addEventListener("hashchange", onHash);
    return () => {
      clearTimeout(begin);
      window.removeEventListener("hashchange", onHash);
    };
  }, []);

  if (phase.at === "start") return <h1 className={classes.title}>Sign in</h1>;
  if (phase.at === "proven")
    return (
      <>
        <h1 className={classes.title}>You are signed in again</h1>
        <p className={classes.text}>Close this tab: the one you came from goes on by itself.</p>
      </>
    );
  if (phase.at === "link" || phase.at === "leaving")
    return (
      <h1 className={classes.title} role="status">
        Signing in
      </h1>
    );
  const notice = trouble ? (
    <TroubleNotice trouble={trouble} onRetry={secret === null ? null : () => void takeLink(secret)} />
  ) : null;
  if (phase.at === "signedIn")
    return <SignedIn me={phase.me} notice={notice} onGo={leave} onSignedOut={() => void lookAround()} />;
  return (
    <>
      <h1 className={classes.title}>Sign in</h1>
      {notice}
      {phase.ways.provider ? <ByProvider provider={phase.ways.provider} /> : null}
      {phase.ways.password ? (
        <PasswordForm
          isFirst={phase.ways.provider === null || phase.ways.provider.isAway}
          onSignedIn={leave}
          onTrouble={setTrouble}
          waits={trouble?.waitSeconds ?? null}
        />
      ) : null}
      {trouble?.needsLink ? null : (
        <div className={classes.hint}>
          <p>No password, or forgotten? A link signs in without one. On the machine that Fieldwatch runs on:</p>
          <Copyable text="npm run sign-in-link" label="Copy the command" />
        </div>
      )}
    </>
  );
}

/** What is shown as long as it isn't known how people can sign in. */
const LINKS_AND_PASSWORDS: WaysIn = { password: true, provider: null };

function ByProvider({ provider: { name, isAway } }: { provider: NonNullable<WaysIn["provider"]> }) {
  const to = wayBack(new URLSearchParams(window.location.search).get("to"));
  return (
    <div className={classes.provider}>
      <Button component="a" href={providerAddress(to)} variant={isAway ? "default" : "filled"}>
        Sign in with {name}
      </Button>
      {isAway ? <p>{name} does not answer at the moment. A sign-in link works; who is signed in stays so.</p> : null}
    </div>
  );
}

function TroubleNotice({ trouble, onRetry }: { trouble: Trouble; onRetry: (() => void) | null }) {
  const { what, why, needsLink } = trouble;
  return (
    <div className={`${ui.notice} ${classes.notice}`} role="alert" data-tone={needsLink ? "warn" : "fail"}>
      <MarkShape mark={needsLink ? "warning" : "failing"} />
      <div className={classes.noticeText}>
        <p className={ui.noticeTitle}>{what}</p>
        <p>{why}</p>
        {needsLink ? <Copyable text="npm run sign-in-link" label="Copy the command" /> : null}
      </div>
      {onRetry ? (
        <Button size="xs" variant="default" onClick={onRetry}>
          Try again
        </Button>
      ) : null}
    </div>
  );
}
