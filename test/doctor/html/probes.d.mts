export function contrasts(): {
  readonly texts: readonly { readonly text: string; readonly contrast: number }[];
  readonly page: number;
};
export function widths(): { readonly scroll: number; readonly outside: readonly string[] };
export function focused(): string;
export function outlineOf(element: unknown): string;
export function headingLevels(): readonly number[];
export function inventory(): {
  readonly hacked: unknown;
  readonly strange: number;
  readonly headings: number;
  readonly metas: number;
  readonly display: string;
};
export function inject(): unknown;
export function onPaper(): Readonly<Record<'paper' | 'ink' | 'jump', string> & Record<'unfolded', boolean>>;
