/** Looks a name from outside up in a table, without finding what every object inherits (`constructor`, ...). */
export function ownEntry<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
