/** The text of docs/reference.md for the sources in a folder. */
export function referencePage(root: string): Promise<string>;
