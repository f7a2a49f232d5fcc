const NUMBER = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

/** Returns how large a file is, in words. */
export function sizeOf(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  if (bytes < 1_000_000) return `${NUMBER.format(bytes / 1000)} kB`;
  return `${NUMBER.format(bytes / 1_000_000)} MB`;
}
