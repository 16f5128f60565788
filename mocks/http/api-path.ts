/** The path after `/v1`, or after `/openai` of Azure, which may name a deployment; `undefined` for any other path. */
export function apiPath(pathname: string): string | undefined {
  const match = /\/v1(\/.*)$/.exec(pathname) ?? /\/openai(?:\/deployments\/[^/]+)?(\/.*)$/.exec(pathname);
  return match?.[1];
}
