import { ProtobufReader } from "./protobuf-reader.ts";

export type AttributeValue = string | number | boolean;

/** Envoy's attributes of an exchange by name. A value that is no text, number or boolean is absent. */
export interface Attributes {
  get(name: string): AttributeValue | undefined;
  names(): readonly string[];
}

/** Envoy's constant for the only entry of the attributes, whatever the filter is called. */
const attributesEntry = "envoy.filters.http.ext_proc";

/** Of google.protobuf: Struct.fields; the key and the value of an entry of a map; Value.number_value, .string_value, .bool_value and the others. */
const fieldsTag = 0x0a;
const entryTags = { key: 0x0a, value: 0x12 } as const;
const valueTags = { null: 0x08, number: 0x11, string: 0x1a, bool: 0x20, struct: 0x2a, list: 0x32 } as const;

/** Attributes within the bytes in which they came. One is read when somebody asks for it. */
export class WireAttributes implements Attributes {
  readonly #fields: readonly Field[];

  /** @param struct a google.protobuf.Struct */
  constructor(struct: ProtobufReader) {
    const fields: Field[] = [];
    while (struct.more) {
      const tag = struct.tag();
      if (tag === fieldsTag) fields.push(readField(struct.message()));
      else struct.skip(tag);
    }
    this.#fields = fields;
  }

  get(name: string): AttributeValue | undefined {
    // As in every map of protobuf the last one counts.
    const field = this.#fields.findLast((one) => one.name === name);
    return field?.value === undefined ? undefined : readValue(field.value);
  }

  names(): readonly string[] {
    return [...new Set(this.#fields.map(({ name }) => name))];
  }
}

/**
 * Reads one entry of `ProcessingRequest.attributes`.
 *
 * @returns undefined where it is not Envoy's
 */
export function readAttributes(entry: ProtobufReader): Attributes | undefined {
  const { name, value } = readField(entry);
  // An entry called `__proto__` must not supply what is missing.
  return name === attributesEntry ? new WireAttributes(new ProtobufReader(value ?? noBytes)) : undefined;
}

interface Field {
  readonly name: string;
  readonly value: Uint8Array | undefined;
}

const noBytes = new Uint8Array();

function readField(entry: ProtobufReader): Field {
  let name = "";
  let value: Uint8Array | undefined;
  while (entry.more) {
    const tag = entry.tag();
    if (tag === entryTags.key) name = entry.text();
    else if (tag === entryTags.value) value = entry.slice();
    else entry.skip(tag);
  }
  return { name, value };
}

function readValue(bytes: Uint8Array): AttributeValue | undefined {
  const reader = new ProtobufReader(bytes);
  let value: AttributeValue | undefined;
  while (reader.more) {
    const tag = reader.tag();
    switch (tag) {
      case valueTags.string:
        value = reader.text();
        break;
      case valueTags.number:
        value = reader.double();
        break;
      case valueTags.bool:
        value = reader.bool();
        break;
      case valueTags.null:
      case valueTags.struct:
      case valueTags.list:
        value = undefined;
        reader.skip(tag);
        break;
      default:
        reader.skip(tag);
    }
  }
  return value;
}
