/** The text of llms.txt for the documents in a folder. */
export function llmsPage(root: string): Promise<string>;
