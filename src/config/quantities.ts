/** Durations and sizes as people write them: a whole number and a unit. */

const durationUnits = [
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
] as const;

const sizeUnits = [
  ["GiB", 1024 ** 3],
  ["MiB", 1024 ** 2],
  ["KiB", 1024],
  ["B", 1],
] as const;

type Units = readonly (readonly [string, number])[];

/** `200ms`, `1s`, `5m` -> milliseconds. Undefined when it is none of these. */
export function parseDuration(text: string): number | undefined {
  return parseQuantity(text, durationUnits);
}

/** `100B`, `64KiB`, `10MiB`, `1GiB` -> bytes. Undefined when it is none of these. */
export function parseSize(text: string): number | undefined {
  return parseQuantity(text, sizeUnits);
}

/** Milliseconds in the largest unit that keeps them whole. */
export function durationText(milliseconds: number): string {
  return quantityText(milliseconds, durationUnits);
}

/** Bytes in the largest unit that keeps them whole. */
export function sizeText(bytes: number): string {
  return quantityText(bytes, sizeUnits);
}

function parseQuantity(text: string, units: Units): number | undefined {
  const [, digits, name] = /^(\d{1,12})([A-Za-z]+)$/.exec(text) ?? [];
  const unit = units.find(([candidate]) => candidate === name);
  return unit === undefined ? undefined : Number(digits) * unit[1];
}

function quantityText(value: number, units: Units): string {
  const [name, factor] = units.find(([, size]) => value !== 0 && value % size === 0) ?? units[units.length - 1] ?? ["", 1];
  return `${value / factor}${name}`;
}
