// What is typed into the write editor, as bytes and back: text with its escapes, and the same value
// in another way of writing. Hex and numbers are read by the explorer.

/** A character that is not shown as itself, and what stands for it. */
const ESCAPES: Record<string, string> = { '\r': '\\r', '\n': '\\n', '\t': '\\t', '\\': '\\\\' };
const MEANT: Record<string, number> = { r: 0x0d, n: 0x0a, t: 0x09, '\\': 0x5c };

export interface Wrong {
  message: string;
  /** Where, in characters from 0. */
  at: number;
}

/** Bytes as pairs of hexadecimal digits with spaces. */
export function hexOf(bytes: Iterable<number>): string {
  return [...bytes].map((byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join(' ');
}

/** Bytes of pairs of hexadecimal digits with spaces. */
export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.split(' ').filter(Boolean), (pair) => parseInt(pair, 16));
}

/** Bytes of a text: its UTF-8, with \r \n \t \xNN and \\ for what cannot be typed. */
export function textBytes(text: string): { bytes: number[]; wrong: Wrong | null } {
  const utf8 = new TextEncoder();
  const bytes: number[] = [];
  const characters = [...text];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!;
    if (character !== '\\') {
      bytes.push(...utf8.encode(character));
      continue;
    }
    const next = characters[at + 1];
    const pair = characters.slice(at + 2, at + 4).join('');
    if (next !== undefined && next in MEANT) {
      bytes.push(MEANT[next]!);
      at += 1;
    } else if (next === 'x' && /^[0-9A-Fa-f]{2}$/.test(pair)) {
      bytes.push(parseInt(pair, 16));
      at += 3;
    } else {
      const message = next === 'x' ? `After \\x at character ${at + 1} come two hex digits, such as \\x1B.` : `A backslash at character ${at + 1} begins \\r, \\n, \\t or \\x1B. Write \\\\ for the backslash itself.`;
      return { bytes: [], wrong: { message, at } };
    }
  }
  return { bytes, wrong: null };
}

/** The text that stands for bytes; what is no readable character becomes an escape. */
export function textOf(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const { character, length } = characterAt(bytes, at);
    if (character === null) text += `\\x${hexOf([bytes[at]!])}`;
    else if (character in ESCAPES) text += ESCAPES[character];
    // Controls, and what turns or hides other characters.
    else if (/[\p{C}\p{Zl}\p{Zp}]/u.test(character)) text += [...bytes.slice(at, at + length)].map((byte) => `\\x${hexOf([byte])}`).join('');
    else text += character;
    at += length;
  }
  return text;
}

/** The UTF-8 character that begins at a byte; null where none does. */
function characterAt(bytes: Uint8Array, at: number): { character: string | null; length: number } {
  const first = bytes[at]!;
  const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  try {
    const character = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.slice(at, at + length));
    return { character, length };
  } catch {
    return { character: null, length: 1 };
  }
}

interface NumberShape {
  letter: string;
  size: number;
  little: boolean;
}

function shapeOf(type: string): NumberShape {
  const [, letter = 'u', bits = '8', order = 'le'] = /^([uif])(\d+)(le|be)?$/.exec(type) ?? [];
  return { letter, size: Number(bits) / 8, little: order === 'le' };
}

/** The type in which as many bytes are one number: the wanted one if it fits, else an unsigned one; null where there is none. */
export function typeFor(length: number, wanted: string): string | null {
  const { size, little } = shapeOf(wanted);
  if (size === length) return wanted;
  if (![1, 2, 3, 4, 8].includes(length)) return null;
  return length === 1 ? 'u8' : `u${length * 8}${little ? 'le' : 'be'}`;
}

/** The number that bytes of its size are. */
export function numberOf(bytes: Uint8Array, type: string): string {
  const { letter, size, little } = shapeOf(type);
  if (letter === 'f') {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const value = size === 4 ? view.getFloat32(0, little) : view.getFloat64(0, little);
    if (Number.isNaN(value)) return 'NaN';
    if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
    if (size === 8) return String(value);
    // The fewest digits that are this number again.
    for (let digits = 1; digits < 9; digits++) if (Math.fround(Number(value.toPrecision(digits))) === value) return String(Number(value.toPrecision(digits)));
    return String(value);
  }
  const order = little ? [...bytes].reverse() : [...bytes];
  const value = order.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  return String(letter === 'i' ? BigInt.asIntN(size * 8, value) : value);
}
