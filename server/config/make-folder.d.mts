/**
 * Makes a folder and its parents, or leaves it as it is there. Unlike mkdir's own `recursive` it always ends: that one
 * tries for ever where the system says ENOENT although the parent is there, as below /proc.
 * @param mode of what is made; what the process is allowed to give when left out.
 * @throws what the system says: EEXIST when a file stands in the way, EACCES, ENOENT, …
 */
export function makeFolder(folder: string, mode?: number): Promise<void>;
/** The same for where nothing else goes on meanwhile, as at a start. Never for a folder that may be away, such as a share. */
export function makeFolderSync(folder: string, mode?: number): void;
