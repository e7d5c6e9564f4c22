"use client";
import { TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { SiteChanges, SiteView } from "@/server/contracts/sites";
import { LABEL_LENGTH } from "@/server/domain/label";
import { allSitesQuery, saveSite } from "../queries/sites";
import { ChosenDialog, NamedForm } from "./named-dialog";
import { useNewName } from "./new-name";

/** The sites and their names. */
export function SitesDialog({ onClose }: { onClose: () => void }) {
  const { data } = useQuery(allSitesQuery());
  return (
    <ChosenDialog
      title="Sites"
      items={data?.items}
      loading="Loading the sites…"
      none="No device is at a site yet: messages say it, or a person."
      onClose={onClose}
      form={(site, sites, onChoose) => <SiteForm key={site.id} {...{ site, sites, onChoose, onClose }} />}
    />
  );
}

interface FormProps {
  site: SiteView;
  sites: readonly SiteView[];
  onChoose: (id: string | null) => void;
  onClose: () => void;
}

function SiteForm({ site, sites, onChoose, onClose }: FormProps) {
  const naming = useNewName("sites", site);
  const [person, setPerson] = useState(site.person ?? "");
  const isOther = person.trim() !== (site.person ?? "");
  const changes: Pick<SiteChanges, "person"> = isOther ? { person: person.trim() || null } : {};
  return (
    <NamedForm
      title="Sites"
      what="Site"
      one={site}
      all={sites}
      onSave={(said) => saveSite(site.id, said)}
      {...{ naming, changes, onChoose, onClose }}
    >
      <TextInput
        label="Person"
        description="Whose data that of its devices is, but for those labelled another person's: exports and erasures of a person go by it"
        inputWrapperOrder={["label", "input", "description"]}
        placeholder="nobody's"
        maxLength={LABEL_LENGTH}
        value={person}
        onChange={(event) => setPerson(event.currentTarget.value)}
      />
    </NamedForm>
  );
}
