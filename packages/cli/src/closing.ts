/** Runs the body with what it opened, if anything, and closes that, also on a throw. */
export function closing<Resource extends { close(): void } | undefined, T>(
  resource: Resource,
  body: (resource: Resource) => T,
): T {
  try {
    return body(resource);
  } finally {
    resource?.close();
  }
}
