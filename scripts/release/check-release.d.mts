/** The texts that a release depends on. */
export interface ReleaseTree {
  readonly manifest: string;
  readonly lock: string;
  readonly changelog: string;
  /** The manifests in `examples/`, by path. */
  readonly examples: Readonly<Record<string, string>>;
  /** The tag that starts the release, if there is one yet. */
  readonly tag?: string | undefined;
}

/** The problems that a release would have, each with the way to mend it. */
export function releaseProblems(tree: ReleaseTree): string[];
