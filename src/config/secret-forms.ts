/** How a secret looks where it was written into JSON or into an address: itself first, each form once. */
export function secretForms(value: string): readonly string[] {
  return [...new Set([value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value.toWellFormed())])];
}
