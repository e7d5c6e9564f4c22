"use client";
import { useState } from "react";

/** A row that keeps its place: what it shows, and whether it is still in the list. */
export interface HeldRow<T> {
  readonly item: T;
  /** True if the list no longer has it; it is shown as it was. */
  readonly isGone: boolean;
}

interface Held<T> {
  readonly of: string;
  readonly rows: readonly HeldRow<T>[];
  readonly from: readonly T[];
}

/** Returns the rows in their places, with what is known of them now. */
export function refreshed<T>(
  rows: readonly HeldRow<T>[],
  items: readonly T[],
  keyOf: (item: T) => string,
): readonly HeldRow<T>[] {
  const now = new Map(items.map((item) => [keyOf(item), item]));
  return rows.map(({ item }) => {
    const fresh = now.get(keyOf(item));
    return fresh === undefined ? { item, isGone: true } : { item: fresh, isGone: false };
  });
}

/** Compares the list with what is shown: counts additional rows, and tells whether the others are in another order. */
export function difference<T>(
  rows: readonly HeldRow<T>[],
  items: readonly T[],
  keyOf: (item: T) => string,
): { readonly added: number; readonly isOther: boolean } {
  const shown = new Set(rows.map(({ item }) => keyOf(item)));
  const added = items.filter((item) => !shown.has(keyOf(item))).length;
  const isOther =
    added > 0 || rows.length !== items.length || rows.some(({ item }, i) => keyOf(item) !== keyOf(items[i]!));
  return { added, isOther };
}

/**
 * Keeps a list that loads again and again in the order it was first shown in, so that no row moves under the cursor.
 * @param of names the list: another list is shown as it comes.
 * @param items undefined until loaded; what was shown last stays meanwhile.
 */
export function useHeld<T>(of: string, items: readonly T[] | undefined, keyOf: (item: T) => string) {
  const [held, setHeld] = useState<Held<T> | null>(null);
  const take = () => items && setHeld({ of, from: items, rows: items.map((item) => ({ item, isGone: false })) });
  if (items && held?.from !== items) {
    const rows = held?.of === of ? refreshed(held.rows, items, keyOf) : [];
    // When no row is left to keep in place, the list is taken by itself.
    if (rows.every(({ isGone }) => isGone)) take();
    else setHeld({ of, from: items, rows });
  }
  const isReady = held !== null && (items === undefined || held.of === of);
  return {
    rows: isReady ? held.rows : null,
    ...(isReady && items ? difference(held.rows, items, keyOf) : { added: 0, isOther: false }),
    /** Shows the list as it is now. */
    take: () => void take(),
  };
}
