import { config } from "zod";
import { heedLeaveGuards } from "@/components/ui/use-leave-guard";

// The pages' policy forbids making code from text, and zod would try whether it may: browsers report even the attempt.
config({ jitless: true });

heedLeaveGuards();

// Says so where there is no connection. Where a browser has no such workers, or doesn't trust the certificate, its own page does.
if ("serviceWorker" in navigator) navigator.serviceWorker.register("/sw.js").catch(() => undefined);
