"use client";
import { Button, CloseButton, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { UserGrant } from "@/server/contracts/access";
import { readable } from "@/server/domain/readable";
import { type Role, ROLES } from "@/server/domain/access";
import { sitesQuery } from "../queries/device";
import { ROLE_WORDS } from "../ui/roles";
import classes from "./access.module.css";
import { coveredBy, grantWord, placeWord } from "./grants-words";

/** The most grants the server takes of one person. */
const MOST = 200;
/** From so many sites on they are searched by typing. */
const MANY = 8;
const ALL = "all";

interface GrantsEditorProps {
  grants: readonly UserGrant[];
  onChange: (grants: readonly UserGrant[]) => void;
}

/** Rows of a role and where it holds, each place once; one row stays. */
export function GrantsEditor({ grants, onChange }: GrantsEditorProps) {
  const { data: known = [], error } = useQuery(sitesQuery());
  const used = new Set(grants.map(({ site }) => site));
  // A site that has gone meanwhile is shown all the same.
  const sites = [...new Set([...known, ...grants.flatMap(({ site }) => (site === null ? [] : [site]))])];
  const free = [...sites, null].find((site) => !used.has(site));
  const set = (index: number, grant: UserGrant) => onChange(grants.with(index, grant));
  return (
    <fieldset className={classes.grants}>
      <legend>Roles</legend>
      {grants.map((grant, i) => (
        <GrantRow
          key={i}
          number={i + 1}
          grant={grant}
          places={[null, ...sites].filter((site) => site === grant.site || !used.has(site))}
          covering={coveredBy(grants, i)}
          onChange={(next) => set(i, next)}
          onRemove={grants.length === 1 ? null : () => onChange(grants.toSpliced(i, 1))}
        />
      ))}
      {free === undefined || grants.length >= MOST ? null : (
        <Button
          size="compact-xs"
          variant="default"
          onClick={() => onChange([...grants, { role: "viewer", site: free }])}
        >
          Add a role at {free === null ? "all sites" : "another site"}
        </Button>
      )}
      {error ? <p role="alert">The sites could not be loaded: {error.message}</p> : null}
      <dl className={classes.roles}>
        {ROLES.filter((role) => grants.some((grant) => grant.role === role)).map((role) => (
          <div key={role}>
            <dt>{ROLE_WORDS[role].title}</dt>
            <dd>{ROLE_WORDS[role].about}.</dd>
          </div>
        ))}
      </dl>
      {grants.length === 0 || used.has(null) ? null : (
        <p>The pipeline, jobs, health and users are of all sites together: a role at some sites doesn’t show them.</p>
      )}
    </fieldset>
  );
}

interface GrantRowProps {
  number: number;
  grant: UserGrant;
  /** What can be chosen; null: all sites. */
  places: readonly (string | null)[];
  /** The other grant that makes this one needless. */
  covering: UserGrant | null;
  onChange: (grant: UserGrant) => void;
  /** Null for a row that has to stay. */
  onRemove: (() => void) | null;
}

function GrantRow({ number, grant, places, covering, onChange, onRemove }: GrantRowProps) {
  return (
    <div className={classes.grant} role="group" aria-label={grantWord(grant)}>
      <Select
        size="sm"
        aria-label={`Role ${number}`}
        data={ROLES.map((value) => ({ value, label: ROLE_WORDS[value].title }))}
        allowDeselect={false}
        value={grant.role}
        onChange={(value) => onChange({ ...grant, role: value as Role })}
      />
      <Select
        size="sm"
        aria-label={`Where role ${number} holds`}
        data={places.map((site) => ({ value: toValue(site), label: site === null ? "All sites" : readable(site) }))}
        allowDeselect={false}
        searchable={places.length > MANY}
        limit={100}
        nothingFoundMessage="No such site"
        value={toValue(grant.site)}
        onChange={(value) => onChange({ ...grant, site: toSite(value) })}
      />
      {onRemove === null ? null : (
        <CloseButton size="sm" aria-label={`Take away ${grantWord(grant)}`} onClick={onRemove} />
      )}
      {covering === null ? null : (
        <p>
          Adds nothing: {ROLE_WORDS[covering.role].title} at {placeWord(covering.site)} is there.
        </p>
      )}
    </div>
  );
}

/** A place as an option's value: a site may have any name, "all" too. */
function toValue(site: string | null): string {
  return site === null ? ALL : `at ${site}`;
}

function toSite(value: string | null): string | null {
  return value === null || value === ALL ? null : value.slice("at ".length);
}
