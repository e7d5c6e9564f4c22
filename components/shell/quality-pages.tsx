"use client";
import { usePathname } from "next/navigation";
import { QUALITY_PAGES } from "@/server/contracts/pages";
import { Link } from "../ui/link";
import classes from "./alert-pages.module.css";

/** Leads from each of the pages about quality to the others; first on all of them. */
export function QualityPages() {
  const path = usePathname();
  return (
    <nav className={classes.pages} aria-label="Quality">
      {QUALITY_PAGES.map(({ href, label }) => (
        <Link key={href} href={href} aria-current={path === href ? "page" : undefined}>
          {label}
        </Link>
      ))}
    </nav>
  );
}
