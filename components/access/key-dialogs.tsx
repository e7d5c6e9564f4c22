"use client";
import { Autocomplete, Checkbox, SegmentedControl, Select, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { KeyView, MadeKey } from "@/server/contracts/access";
import { KEY_KINDS, type KeyKind, type Role } from "@/server/domain/access";
import { noSuchSite } from "@/server/domain/near-names";
import { isName } from "@/server/domain/terms";
import { ACCESS, makeKey, rotateKey, useMay, useMayEverywhere } from "../queries/access";
import { sitesQuery } from "../queries/device";
import { RequestError } from "../queries/request";
import classes from "./access.module.css";
import { curlWith, KEY_WORDS, networksIn } from "./key-words";
import { FormDialog } from "../shell/form-dialog";
import { OnceDialog } from "../ui/once-dialog";
import { RoleSelect } from "./parts";

const LIVES = [
  { value: "30", label: "in 30 days" },
  { value: "90", label: "in 90 days" },
  { value: "365", label: "in a year" },
  { value: "never", label: "never" },
];

/** Makes a key for a program or for devices. */
export function MakeKey({ onMade, onClose }: { onMade: (made: MadeKey) => void; onClose: () => void }) {
  const queries = useQueryClient();
  const [kind, setKind] = useState<KeyKind>("site");
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [device, setDevice] = useState("");
  const [networks, setNetworks] = useState("");
  const [site, setSite] = useState("");
  const [isNewSite, setNewSite] = useState(false);
  const [days, setDays] = useState<string | null>(null);
  const { data: sites } = useQuery(sitesQuery());
  const mayMakeService = useMay("administer");
  const mayAddSite = useMayEverywhere("make-keys");
  const isUnknownSite = sites !== undefined && site.trim() !== "" && !sites.includes(site.trim());
  const usualDays = kind === "service" ? "90" : "never";
  const lasts = days ?? usualDays;
  const make = useMutation({
    mutationFn: () =>
      makeKey({
        kind,
        name: name.trim(),
        role: kind === "service" ? role : null,
        device: kind === "device" ? device.trim() : null,
        site: site.trim() || null,
        newSite: isUnknownSite && isNewSite,
        networks: networksIn(networks),
        days: lasts === "never" ? null : Number(lasts),
      }),
    onSuccess: onMade,
    onSettled: () => queries.invalidateQueries({ queryKey: [ACCESS] }),
  });
  const wrongNetwork = networkRefused(make.error, networksIn(networks));
  const isDeviceWrong = kind === "device" && device.trim() !== "" && !isName(device.trim());
  return (
    <FormDialog
      title="Make a key"
      act="Make the key"
      failed="No key was made"
      isReady={
        name.trim() !== "" &&
        (kind !== "device" || isName(device.trim())) &&
        (!isUnknownSite || (mayAddSite && isNewSite))
      }
      isSending={make.isPending}
      error={wrongNetwork === null ? make.error : null}
      onSubmit={() => make.mutate()}
      onClose={onClose}
    >
      <div className={classes.once}>
        <SegmentedControl
          aria-label="What the key is for"
          size="sm"
          value={kind}
          onChange={(value) => setKind(value as KeyKind)}
          data={KEY_KINDS.filter((value) => value !== "source" && (value !== "service" || mayMakeService))
            .map((value) => ({ value, label: KEY_WORDS[value].title }))
            .reverse()}
        />
        <p>{KEY_WORDS[kind].about}</p>
      </div>
      <TextInput
        label="Name"
        placeholder="Who or what uses it"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        maxLength={100}
        autoComplete="off"
        required
        withAsterisk={false}
        data-autofocus
      />
      {kind === "service" ? <RoleSelect role={role} onChange={setRole} /> : null}
      {kind === "device" ? (
        <TextInput
          label="Device"
          placeholder="Its id, as in its messages"
          value={device}
          onChange={(event) => setDevice(event.currentTarget.value)}
          error={isDeviceWrong ? "Letters, digits, _ . : - and at most 128 of them." : null}
          maxLength={128}
          autoComplete="off"
          spellCheck={false}
          required
          withAsterisk={false}
        />
      ) : null}
      <Autocomplete
        label="Site"
        placeholder={
          kind === "service" ? "all; or one, where the role holds" : "any; or one, whose devices it sends for"
        }
        data={sites ? [...sites] : []}
        value={site}
        onChange={(value) => {
          setSite(value);
          // Said of one name, it isn't said of another.
          setNewSite(false);
        }}
        error={isUnknownSite && !mayAddSite ? noSuchSite(site.trim(), sites) : null}
        maxLength={128}
        autoComplete="off"
      />
      {isUnknownSite && mayAddSite ? (
        <Checkbox
          label={`Add ${site.trim()} as a new site`}
          description={noSuchSite(site.trim(), sites)}
          checked={isNewSite}
          onChange={(event) => setNewSite(event.currentTarget.checked)}
        />
      ) : null}
      <Select label="Expires" data={LIVES} allowDeselect={false} value={lasts} onChange={setDays} />
      <Textarea
        label="Only from these addresses"
        placeholder="anywhere; or one a line, like 10.1.0.0/16"
        value={networks}
        onChange={(event) => setNetworks(event.currentTarget.value)}
        error={wrongNetwork}
        autosize
        minRows={1}
        maxRows={6}
        spellCheck={false}
      />
    </FormDialog>
  );
}

/** Which of the addresses the server refuses, and why; null for none. */
function networkRefused(error: Error | null, networks: readonly string[]): string | null {
  const errors = error instanceof RequestError ? (error.problem?.errors ?? []) : [];
  const wrong = errors.flatMap(({ at, message }) => {
    const network = networks[Number(/^networks\.(\d+)$/.exec(at)?.[1] ?? NaN)];
    return network === undefined ? [] : [`${network} ${message}.`];
  });
  return wrong.length === 0 ? null : wrong.join(" ");
}

/** A new key and a command that uses it, shown once. */
export function MadeKeyDialog({ made: { key, text }, onClose }: { made: MadeKey; onClose: () => void }) {
  const texts = [
    { label: "The key", text },
    { label: "To try it", text: curlWith(key, text, window.location.origin) },
  ];
  return (
    <OnceDialog title={`Key ${key.name}`} texts={texts} onClose={onClose}>
      <p>
        <b>It is not shown again</b>: only its hash is kept. Whoever has it can use it until it expires or is revoked.
      </p>
    </OnceDialog>
  );
}

/** Makes a second key like one, to be put in its place. */
export function RotateKey({
  accessKey: { id, name },
  onMade,
  onClose,
}: {
  accessKey: KeyView;
  onMade: (made: MadeKey) => void;
  onClose: () => void;
}) {
  const queries = useQueryClient();
  const rotate = useMutation({
    mutationFn: () => rotateKey(id),
    onSuccess: onMade,
    onSettled: () => queries.invalidateQueries({ queryKey: [ACCESS] }),
  });
  return (
    <FormDialog
      title={`Rotate ${name}`}
      act="Make a second key"
      failed="No key was made"
      isSending={rotate.isPending}
      error={rotate.error}
      onSubmit={() => rotate.mutate()}
      onClose={onClose}
    >
      <p>
        This makes a second key with the same settings. <b>Both work</b> until you revoke the first, so nothing is lost:
        put the second in place, see that it is used, then revoke the first.
      </p>
    </FormDialog>
  );
}
