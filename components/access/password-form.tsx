"use client";
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useState } from "react";
import { signIn } from "../queries/access";
import { useClock } from "../ui/clock";
import { serverNow } from "../ui/server-time";
import { type Trouble, troubleOf } from "./sign-in-words";
import classes from "./sign-in.module.css";

interface PasswordFormProps {
  /** True where a password is the first way in: its button is the filled one. */
  isFirst: boolean;
  onSignedIn: () => void;
  onTrouble: (trouble: Trouble | null) => void;
  /** Seconds that were to be waited when the last try was refused; null for none. */
  waits: number | null;
}

/** Signs in by e-mail address and password; after too many wrong ones it counts the seconds. */
export function PasswordForm({ isFirst, onSignedIn, onTrouble, waits }: PasswordFormProps) {
  const [isSending, setSending] = useState(false);
  const [until, setUntil] = useState(0);
  const left = useClock((now) => Math.max(0, Math.ceil((until - now) / 1000))) ?? 0;
  const isWaiting = waits !== null && left > 0;
  const submit = async (form: FormData) => {
    setSending(true);
    try {
      await signIn(String(form.get("email")), String(form.get("password")));
      onTrouble(null);
      onSignedIn();
    } catch (error) {
      const trouble = troubleOf(error, "password");
      setUntil(serverNow() + (trouble.waitSeconds ?? 0) * 1000);
      onTrouble(trouble);
      setSending(false);
    }
  };
  return (
    <form
      className={classes.form}
      // Were it sent without our script, the password would not stand in the address.
      method="post"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isSending && !isWaiting) void submit(new FormData(event.currentTarget));
      }}
    >
      <TextInput
        label="E-mail address"
        name="email"
        type="email"
        autoComplete="username"
        inputMode="email"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={254}
        required
        withAsterisk={false}
        autoFocus
      />
      <PasswordInput
        label="Password"
        name="password"
        autoComplete="current-password"
        maxLength={200}
        required
        withAsterisk={false}
        visibilityToggleButtonProps={{ "aria-label": "Show the password", tabIndex: 0 }}
      />
      <Button
        type="submit"
        variant={isFirst ? "filled" : "default"}
        loading={isSending}
        disabled={isWaiting}
        aria-live="polite"
      >
        {isWaiting ? `Try again in ${left} s` : "Sign in"}
      </Button>
    </form>
  );
}
