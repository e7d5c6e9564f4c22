import type { Config } from "@/server/config/config";
import { readLocalKey } from "@/server/config/local-key";

/** The headers that show a sender's key; none without one. Asked for at each request, for a key may be replaced meanwhile. */
export type Authorization = () => Record<string, string>;

/** Shows the key of the configuration, or else the one in the data folder. */
export function authorizationOf({ access, dataDir }: Pick<Config, "access" | "dataDir">): Authorization {
  return () => {
    const key = access.FIELDWATCH_KEY ?? readLocalKey(dataDir);
    return key === null ? {} : { authorization: `Bearer ${key}` };
  };
}
