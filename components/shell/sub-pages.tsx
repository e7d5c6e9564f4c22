"use client";
import { usePathname } from "next/navigation";
import { METRIC_PAGES, QUALITY_PAGES, RETENTION_PAGES } from "@/server/contracts/pages";
import { Link } from "../ui/link";
import classes from "./alert-pages.module.css";

/** Leads from each of the pages about quality to the others; first on all of them. */
export const QualityPages = () => <SubPages label="Quality" pages={QUALITY_PAGES} />;

/** Leads from what is kept to what it costs, and back; first on both. */
export const RetentionPages = () => <SubPages label="Retention" pages={RETENTION_PAGES} />;

/** Leads from what metrics mean to where their data comes from and goes, and back; first on both. */
export const MetricPages = () => <SubPages label="Metrics" pages={METRIC_PAGES} />;

function SubPages({ label, pages }: { label: string; pages: readonly { href: string; label: string }[] }) {
  const path = usePathname();
  return (
    <nav className={classes.pages} aria-label={label}>
      {pages.map((page) => (
        <Link key={page.href} href={page.href} aria-current={path === page.href ? "page" : undefined}>
          {page.label}
        </Link>
      ))}
    </nav>
  );
}
