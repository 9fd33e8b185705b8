/** One septet each: the GSM 7-bit default alphabet (3GPP TS 23.038 §6.2.1). */
const BASIC = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿" +
    "abcdefghijklmnopqrstuvwxyzäöñüà",
);
/** Two septets each, never parted: its extension table. */
const EXTENDED = new Set("\f^{}\\[~]|€");

/** Septets of one segment, and of each where there are several: six octets of header are seven septets (TS 23.040). */
const GSM_SINGLE = 160;
const GSM_PART = 153;
/** The same in UTF-16 units. */
const UCS2_SINGLE = 70;
const UCS2_PART = 67;

const GRAPHEMES = new Intl.Segmenter("en", { granularity: "grapheme" });

/**
 * Segments that Twilio bills for `body`: GSM-7 160 or 153 a part, UCS-2 70 or 67 as soon as one character is not in GSM-7;
 * what Smart Encoding may save is left out. Twilio's own calculator (npm `sms-segments-calculator`) is what the tests
 * compare this with. It is not called here: it copies its list of characters for each one (a body of 1,600 stalls the
 * process for up to 0.4 s), and it counts a letter under a thousand combining marks as one segment.
 */
export function segmentCount(body: string): number {
  const septets = septetSizes(body);
  if (septets) return parts(septets, GSM_SINGLE, GSM_PART);
  if (body.length <= UCS2_SINGLE) return 1;
  return parts(unitSizes(body), UCS2_SINGLE, UCS2_PART);
}

/** The septets of each character, or undefined where one is not in GSM-7. */
function septetSizes(body: string): number[] | undefined {
  const sizes: number[] = [];
  for (const character of body) {
    if (BASIC.has(character)) sizes.push(1);
    else if (EXTENDED.has(character)) sizes.push(2);
    else return undefined;
  }
  return sizes;
}

/** UTF-16 units of each grapheme, which is kept in one part where it fits into one. */
function unitSizes(body: string): number[] {
  const sizes: number[] = [];
  for (const { segment } of GRAPHEMES.segment(body)) {
    let rest = segment === "\r\n" ? 1 : segment.length;
    if (segment === "\r\n") sizes.push(1);
    for (; rest > UCS2_PART; rest -= UCS2_PART) sizes.push(UCS2_PART);
    sizes.push(rest);
  }
  return sizes;
}

function parts(sizes: readonly number[], single: number, part: number): number {
  if (sizes.reduce((sum, size) => sum + size, 0) <= single) return 1;
  let count = 1;
  let filled = 0;
  for (const size of sizes) {
    if (filled + size > part) {
      count += 1;
      filled = 0;
    }
    filled += size;
  }
  return count;
}
