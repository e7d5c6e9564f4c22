"use client";
import { Select } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { counted } from "@/server/domain/counted";
import { FormDialog } from "../shell/form-dialog";
import { type Named, NewName, type Naming } from "./new-name";
import { useAct } from "./use-act";

/** A site or a type, and how many devices there are of it. */
interface NamedOfDevices extends Named {
  readonly devices: number;
}

interface ChosenProps<T> {
  title: string;
  /** Undefined: they aren't known yet. */
  items: readonly T[] | undefined;
  loading: string;
  /** Said when there is none. */
  none: string;
  onClose: () => void;
  form: (one: T, all: readonly T[], onChoose: (id: string | null) => void) => ReactNode;
}

/** A dialog about one of the sites or types: the first, until another is chosen. */
export function ChosenDialog<T extends Named>({ title, items, loading, none, onClose, form }: ChosenProps<T>) {
  const [id, setId] = useState<string | null>(null);
  const one = items?.find((each) => String(each.id) === id) ?? items?.[0];
  if (items !== undefined && one !== undefined) return form(one, items, setId);
  return (
    <FormDialog
      {...{ title, onClose }}
      act="Save"
      failed="Nothing was changed"
      isReady={false}
      isSending={false}
      error={null}
      onSubmit={() => {}}
    >
      <p>{items === undefined ? loading : none}</p>
    </FormDialog>
  );
}

interface NamedFormProps<T extends NamedOfDevices, C extends object> {
  title: string;
  /** What one of them is: "Site". */
  what: string;
  one: T;
  all: readonly T[];
  /** What is said of one in the list beside its devices. */
  more?: (one: T) => string;
  naming: Naming;
  /** What is changed beside the name. */
  changes: C;
  onSave: (changes: C & { name?: string | undefined }) => Promise<unknown>;
  /** False while something of it can't be saved. */
  isValid?: boolean;
  onChoose: (id: string | null) => void;
  onClose: () => void;
  /** The other fields. */
  children: ReactNode;
}

/** Which one it is, its name, and what else is said of it. */
export function NamedForm<T extends NamedOfDevices, C extends object>(props: NamedFormProps<T, C>) {
  const { title, what, one, all, more, naming, changes, onSave, isValid = true, onChoose, onClose, children } = props;
  const { wanted, isNew, isTold } = naming;
  const save = useAct(onSave, onClose);
  const isMore = Object.keys(changes).length > 0;
  return (
    <FormDialog
      {...{ title, onClose }}
      act={isNew && !isMore ? `Rename to ${wanted}` : "Save"}
      failed="Nothing was changed"
      isReady={isValid && (isNew ? isTold : isMore && wanted !== "")}
      isSending={save.isPending}
      error={save.error}
      onSubmit={() => save.mutate({ ...changes, ...(isNew && { name: wanted }) })}
    >
      <Select
        label={what}
        searchable
        limit={100}
        allowDeselect={false}
        data={all.map((each) => ({
          value: String(each.id),
          label: `${each.name} (${counted(each.devices, "device")}${more?.(each) ?? ""})`,
        }))}
        value={String(one.id)}
        onChange={onChoose}
      />
      <NewName of={one} naming={naming} />
      {children}
    </FormDialog>
  );
}
