"use client";
import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { SiteView } from "@/server/contracts/sites";
import { counted } from "@/server/domain/counted";
import { allSitesQuery, renameSite } from "../queries/sites";
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
        act="Rename"
        failed="It was not renamed"
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
  const rename = useAct((to: string) => renameSite(site.id, to), onClose);
  return (
    <FormDialog
      title="Sites"
      act={isNew ? `Rename to ${wanted}` : "Rename"}
      failed="It was not renamed"
      isReady={isTold}
      isSending={rename.isPending}
      error={rename.error}
      onSubmit={() => rename.mutate(wanted)}
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
    </FormDialog>
  );
}
