"use client";
import { TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { LABEL_LENGTH } from "@/server/domain/label";
import { namingEffectsQuery } from "../queries/sites";
import { namingWords } from "./effect-words";
import { Told, TYPING_MS } from "./give-away";
import { OtherNames } from "./other-names";

/** What can be renamed: a site, or a type of devices. */
export interface Named {
  readonly id: number;
  readonly name: string;
  readonly others: readonly string[];
}

/** The name that somebody writes for a site or type, and what it would do; told once it is known, and nothing stands against it. */
export function useNewName(of: "sites" | "types", { id, name: now }: Named) {
  const [name, setName] = useState(now);
  const wanted = name.trim();
  const [asked] = useDebouncedValue(wanted, TYPING_MS);
  const isNew = wanted !== "" && wanted !== now;
  const { data } = useQuery({ ...namingEffectsQuery(of, id, asked), enabled: isNew && asked === wanted });
  const effects = isNew ? data : undefined;
  return { name, setName, wanted, asked, isNew, effects, isTold: isNew && asked === wanted && data?.refused === null };
}

/** What somebody is about to call one of them. */
export type Naming = ReturnType<typeof useNewName>;

/** The field for it, with what it would do, and the names that were before. */
export function NewName({ of, naming }: { of: Named; naming: Naming }) {
  const { name, setName, asked, effects } = naming;
  return (
    <>
      <TextInput
        label="Name"
        maxLength={LABEL_LENGTH}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Told effects={effects} words={(told) => namingWords(asked, told)} />
      <OtherNames of={of} />
    </>
  );
}
