// Plain JavaScript on Node alone, because the first steps of a start run before there are packages or a build.
import fs from "node:fs";
import path from "node:path";

/** @param {string} folder */
export async function makeFolder(folder, mode = 0o777) {
  if (await isFolder(folder)) return;
  const parent = path.dirname(folder);
  if (parent !== folder) await makeFolder(parent, mode);
  try {
    await fs.promises.mkdir(folder, { mode });
  } catch (error) {
    // Another process may have made it meanwhile.
    if (error.code !== "EEXIST" || !(await isFolder(folder))) throw error;
  }
}

/** @param {string} folder */
export function makeFolderSync(folder, mode = 0o777) {
  if (isFolderSync(folder)) return;
  const parent = path.dirname(folder);
  if (parent !== folder) makeFolderSync(parent, mode);
  try {
    fs.mkdirSync(folder, { mode });
  } catch (error) {
    if (error.code !== "EEXIST" || !isFolderSync(folder)) throw error;
  }
}

const isFolder = (name) =>
  fs.promises.stat(name).then(
    (found) => found.isDirectory(),
    () => false,
  );

function isFolderSync(name) {
  try {
    return fs.statSync(name).isDirectory();
  } catch {
    return false;
  }
}
