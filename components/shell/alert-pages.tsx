"use client";
import { usePathname } from "next/navigation";
import { ALERT_PAGES } from "@/server/contracts/pages";
import { useSeesAll } from "../queries/access";
import { Link } from "../ui/link";
import classes from "./alert-pages.module.css";

/** Leads from each of the pages about alerts to the others; first on all of them. */
export function AlertPages() {
  const path = usePathname();
  const seesAll = useSeesAll();
  return (
    <nav className={classes.pages} aria-label="Alerts">
      {ALERT_PAGES.filter(({ ofAllSites }) => !ofAllSites || seesAll !== false).map(({ href, label }) => (
        <Link key={href} href={href} aria-current={isHere(href, path) ? "page" : undefined}>
          {label}
        </Link>
      ))}
    </nav>
  );
}

/** The inbox is also where a single alert is. */
function isHere(href: string, path: string): boolean {
  if (href !== "/alerts") return path === href || path.startsWith(`${href}/`);
  return !ALERT_PAGES.some((other) => other.href !== "/alerts" && isHere(other.href, path));
}
