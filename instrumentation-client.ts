import { config } from "zod";
import { heedLeaveGuards } from "@/components/ui/use-leave-guard";

// The pages' policy forbids making code from text, and zod would try whether it may: browsers report even the attempt.
config({ jitless: true });

heedLeaveGuards();
