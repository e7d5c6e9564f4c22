"use client";
import NextLink from "next/link";
import { useRouter } from "next/navigation";
import type { ComponentProps } from "react";

/**
 * A link to a page of the dashboard, loaded ahead when it is pointed at or has the focus. Not when it comes in sight, as Next
 * does: a page full of links would ask the server for all of them before its own first rows.
 */
export function Link({ onPointerEnter, onFocus, ...rest }: ComponentProps<typeof NextLink> & { href: string }) {
  const router = useRouter();
  return (
    <NextLink
      {...rest}
      prefetch={false}
      onPointerEnter={(event) => {
        router.prefetch(rest.href);
        onPointerEnter?.(event);
      }}
      onFocus={(event) => {
        router.prefetch(rest.href);
        onFocus?.(event);
      }}
    />
  );
}
