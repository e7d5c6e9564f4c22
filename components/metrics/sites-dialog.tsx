"use client";
import { Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { SiteChanges, SiteView } from "@/server/contracts/sites";
import { counted } from "@/server/domain/counted";
import { LABEL_LENGTH } from "@/server/domain/label";
import { allSitesQuery, saveSite } from "../queries/sites";
import { FormDialog } from "../shell/form-dialog";
import { NewName, useNewName } from "./new-name";
import { useAct } from "./use-act";

/** The sites and their names. */
export function SitesDialog({ onClose }: { onClose: () => void }) {
  const { data } = useQuery(allSitesQuery());
  const [id, setId] = useState<string | null>(null);
  const site = data?.items.find((one) => String(one.id) === id) ?? data?.items[0];
  if (data === undefined || site === undefined)
    return (
      <FormDialog
        title="Sites"
        act="Save"
        failed="Nothing was changed"
        isReady={false}
        isSending={false}
        error={null}
        onSubmit={() => {}}
        onClose={onClose}
      >
        <p>{data === undefined ? "Loading the sites…" : "No device is at a site yet: messages say it, or a person."}</p>
      </FormDialog>
    );
  return <SiteForm key={site.id} {...{ site, sites: data.items, onClose }} onChoose={setId} />;
}

interface FormProps {
  site: SiteView;
  sites: readonly SiteView[];
  onChoose: (id: string | null) => void;
  onClose: () => void;
}

function SiteForm({ site, sites, onChoose, onClose }: FormProps) {
  const naming = useNewName("sites", site);
  const { wanted, isNew, isTold } = naming;
  const [person, setPerson] = useState(site.person ?? "");
  const isOther = person.trim() !== (site.person ?? "");
  const changes: SiteChanges = { ...(isNew && { name: wanted }), ...(isOther && { person: person.trim() || null }) };
  const save = useAct((wish: SiteChanges) => saveSite(site.id, wish), onClose);
  return (
    <FormDialog
      title="Sites"
      act={isNew && !isOther ? `Rename to ${wanted}` : "Save"}
      failed="Nothing was changed"
      isReady={isNew ? isTold : isOther && wanted !== ""}
      isSending={save.isPending}
      error={save.error}
      onSubmit={() => save.mutate(changes)}
      onClose={onClose}
    >
      <Select
        label="Site"
        searchable
        limit={100}
        allowDeselect={false}
        data={sites.map((one) => ({
          value: String(one.id),
          label: `${one.name} (${counted(one.devices, "device")})`,
        }))}
        value={String(site.id)}
        onChange={onChoose}
      />
      <NewName of={site} naming={naming} />
      <TextInput
        label="Person"
        description="Whose data that of its devices is, but for those labelled another person's: exports and erasures of a person go by it"
        inputWrapperOrder={["label", "input", "description"]}
        placeholder="nobody's"
        maxLength={LABEL_LENGTH}
        value={person}
        onChange={(event) => setPerson(event.currentTarget.value)}
      />
    </FormDialog>
  );
}
