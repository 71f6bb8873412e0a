// The number picker composes a line of the layout grammar, which is what is stored and shown.
export interface NumberPick {
  name: string;
  kind: 'int' | 'float';
  signed: boolean;
  bits: 8 | 16 | 24 | 32 | 64;
  big: boolean;
  skip: number;
  scale: string;
  offset: string;
  unit: string;
}

export const typeName = (pick: Pick<NumberPick, 'kind' | 'signed' | 'bits' | 'big'>): string => {
  if (pick.kind === 'float') return `f${pick.bits === 64 ? 64 : 32}${pick.big ? 'be' : 'le'}`;
  const letter = pick.signed ? 'i' : 'u';
  return pick.bits === 8 ? `${letter}8` : `${letter}${pick.bits}${pick.big ? 'be' : 'le'}`;
};

export function compose(pick: NumberPick): string {
  const skip = pick.skip > 0 ? `_:skip[${pick.skip}], ` : '';
  const scale = pick.scale.trim() && pick.scale.trim() !== '1' ? `*${pick.scale.trim()}` : '';
  let offset = pick.offset.trim().replace('\u2212', '-');
  if (offset === '0') offset = '';
  if (offset && !/^[+-]/.test(offset)) offset = `+${offset}`;
  const unit = pick.unit.trim() ? ` ${pick.unit.trim()}` : '';
  return `${skip}${pick.name.trim() || 'value'}:${typeName(pick)}${scale}${offset}${unit}`;
}
