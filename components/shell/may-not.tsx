"use client";
import { useQuery } from "@tanstack/react-query";
import { leastRole, type Permission } from "@/server/domain/access";
import { meQuery } from "../queries/access";
import { adviceOn } from "../queries/request";
import { Failure, Loading } from "../ui/feedback";
import { ownRoleWord, ROLE_WORDS } from "../ui/roles";
import classes from "./shell.module.css";

interface MayNotProps {
  /** Begins the sentence: "Seeing messages". */
  what: string;
  permission: Permission;
  /** True where the permission has to be held at all sites. */
  atAllSites?: boolean;
  /** The site where it has to be held; null: none, which takes it at all. Left out: anywhere. */
  site?: string | null;
}

/** In place of what may not be seen: which role it takes, and who can give it. */
export function MayNot({ what, permission, atAllSites = false, site }: MayNotProps) {
  const { data, error, refetch, isFetching } = useQuery(meQuery());
  if (!data && error)
    return (
      <Failure
        what="Who is signed in could not be found out"
        why={error.message}
        advice={adviceOn(error)}
        onRetry={() => void refetch()}
        retrying={isFetching}
      />
    );
  if (!data) return <Loading rows={2} label="Loading what you may do" />;
  // Who holds it nowhere is told of the role alone.
  const isElsewhere = site !== undefined && data.permissions.includes(permission);
  const where =
    atAllSites || (isElsewhere && site === null) ? " at all sites" : isElsewhere ? ` at the site ${site}` : "";
  return (
    <p className={classes.mayNot} data-missing={permission}>
      {what} takes the permission <b>{permission}</b>
      {where}, which comes with the role {ROLE_WORDS[leastRole(permission)].title}
      {where === "" ? "" : " there"}. Yours is {ownRoleWord(data)}; whoever administers Fieldwatch can change it under
      Users.
    </p>
  );
}
