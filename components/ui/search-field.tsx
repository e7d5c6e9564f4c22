"use client";
import { CloseButton, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { type RefObject, useState } from "react";
import classes from "./list-page.module.css";

/** A search waits for the next key so long: a key held down, or a text put in at once, is one. One that isn't wanted any more is given up. */
const TYPING_MS = 30;

interface SearchFieldProps {
  input: RefObject<HTMLInputElement | null>;
  label: string;
  placeholder: string;
  /** The search as the address has it. */
  search: string;
  /** Called with null for none. */
  onSearch: (search: string | null) => void;
  /** Leaves the search for the first row. */
  onLeave: () => void;
}

/** Narrows a list to what holds a text. Typing runs ahead of the address. */
export function SearchField({ input, label, placeholder, search, onSearch, onLeave }: SearchFieldProps) {
  const [text, setText] = useState(search);
  const [shown, setShown] = useState(search);
  /** The latest text is still on its way to the address; until it is there, the address holds an earlier one. */
  const [isAhead, setAhead] = useState(false);
  const apply = useDebouncedCallback((value: string) => {
    if (value.trim() === search) setAhead(false);
    onSearch(value.trim() || null);
  }, TYPING_MS);
  // The address may change by Back or by clearing the filters; typing runs ahead of it.
  if (shown !== search) {
    setShown(search);
    if (search === text.trim()) setAhead(false);
    else if (!isAhead) setText(search);
  }
  const clear = () => {
    apply.cancel();
    setText("");
    setAhead(search !== "");
    onSearch(null);
  };
  return (
    <TextInput
      ref={input}
      size="xs"
      aria-label={label}
      placeholder={placeholder}
      maxLength={128}
      value={text}
      className={classes.searchField ?? ""}
      onChange={(event) => {
        setText(event.currentTarget.value);
        setAhead(true);
        apply(event.currentTarget.value);
      }}
      // Before a link that was clicked at once is followed: told later, the search would bring back this page.
      onBlur={() => apply.flush()}
      onKeyDown={(event) => {
        if (event.key === "Escape" && text) clear();
        else if (event.key === "Escape") event.currentTarget.blur();
        else if (event.key === "Enter" || event.key === "ArrowDown") onLeave();
        else return;
        event.preventDefault();
      }}
      rightSection={
        text ? (
          <CloseButton size="xs" aria-label="Clear the search" onClick={clear} />
        ) : (
          <kbd className={classes.searchKey} aria-hidden="true">
            /
          </kbd>
        )
      }
    />
  );
}
