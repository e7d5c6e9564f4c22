"use client";
import { Menu } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { ACCOUNT_PAGE } from "@/server/contracts/pages";
import { readable } from "@/server/domain/readable";
import { meQuery } from "../queries/access";
import { Link } from "../ui/link";
import { Spoken } from "../ui/spoken";
import { ownRoleWord } from "../ui/roles";
import classes from "./shell.module.css";
import { useSignOut } from "./sign-out";

/** Who is signed in, with their own page and the way out. */
export function AccountMenu({ onGo }: { onGo: () => void }) {
  const { data } = useQuery(meQuery());
  const { signOut, isPending, trouble } = useSignOut();
  if (!data) return <div className={classes.account} />;
  return (
    <Menu
      position="top-start"
      shadow="sm"
      width={168}
      closeOnItemClick={false}
      transitionProps={{ duration: 0 }}
      withInitialFocusPlaceholder={false}
    >
      <Menu.Target>
        <button type="button" className={classes.account}>
          <span className={classes.accountName} title={readable(data.name)}>
            <Spoken>Account of </Spoken>
            {readable(data.name)}
          </span>
          <small>{ownRoleWord(data)}</small>
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component={Link} href={ACCOUNT_PAGE.href} onClick={onGo} closeMenuOnClick c="var(--fw-text)">
          {ACCOUNT_PAGE.label}
        </Menu.Item>
        <Menu.Item onClick={signOut} disabled={isPending}>
          {isPending ? "Signing out" : "Sign out"}
        </Menu.Item>
        {trouble ? (
          <p className={classes.accountTrouble} role="alert">
            {trouble}
          </p>
        ) : null}
      </Menu.Dropdown>
    </Menu>
  );
}
