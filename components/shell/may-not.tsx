"use client";
import { useQuery } from "@tanstack/react-query";
import { leastRole, type Permission } from "@/server/domain/access";
import { meQuery } from "../queries/access";
import { adviceOn } from "../queries/request";
import { Failure, Loading } from "../ui/feedback";
import { ROLE_WORDS, roleWord } from "../ui/roles";
import classes from "./shell.module.css";

/** In place of what may not be seen: which role it takes, and who can give it. `what` begins the sentence: "Seeing messages". */
export function MayNot({ what, permission }: { what: string; permission: Permission }) {
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
  return (
    <p className={classes.mayNot} data-missing={permission}>
      {what} takes the permission <b>{permission}</b>, which comes with the role{" "}
      {ROLE_WORDS[leastRole(permission)].title}. Yours is {roleWord(data.role)}; whoever administers Fieldwatch can
      change it under Users.
    </p>
  );
}
