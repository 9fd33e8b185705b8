/** What TwiML in a request makes Twilio do, as far as it costs something beside the leg. */
export type TwimlReading =
  | { readonly ok: true /** Blocks of 100 started characters that are spoken. */; readonly speechBlocks: bigint }
  | { readonly ok: false /** A half sentence. */; readonly why: string };

/** Verbs that neither dial, nor record, nor fetch further instructions (twilio.com/docs/voice/twiml). */
const HARMLESS = new Set(["Say", "Play", "Pause", "Hangup", "Reject", "Leave"]);
/** What may stand inside `Say` (SSML). */
const SSML = new Set(
  "break emphasis lang p phoneme prosody s say-as sub w mark amazon:effect amazon:domain amazon:auto-breaths".split(
    " ",
  ),
);
/** In any other encoding a parser that believes it would find other tags. */
const DECLARATION =
  /^\s*<\?xml version=["']1\.0["'](?: encoding=["']utf-8["'])?(?: standalone=["'](?:yes|no)["'])? ?\?>/i;
const TAG = /<(\/?)([A-Za-z][A-Za-z0-9:-]*)((?:\s+[A-Za-z_:][A-Za-z0-9_.:-]*\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y;
const ATTRIBUTE = /([A-Za-z_:][A-Za-z0-9_.:-]*)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/g;
const SPEECH_BLOCK_CHARACTERS = 100;

/**
 * Reads TwiML as strictly as can be: what two parsers could read differently (comments, CDATA, a DOCTYPE with entities,
 * crooked nesting) is not read at all. Any verb but those that only speak, play, wait or hang up is named.
 */
export function readTwiml(text: string): TwimlReading {
  const body = text.replace(DECLARATION, "");
  const open: string[] = [];
  let speechBlocks = 0n;
  let said = { from: 0, loop: 1 };
  let seenRoot = false;
  for (let at = body.indexOf("<"); at !== -1; at = body.indexOf("<", TAG.lastIndex)) {
    TAG.lastIndex = at;
    const tag = TAG.exec(body);
    if (!tag) return unread("its TwiML is not plain XML");
    const [, slash, name, attributes, closed] = tag as unknown as [string, string, string, string, string];
    if (slash) {
      if (open.pop() !== name || attributes !== "" || closed) return unread("its TwiML is not plain XML");
      if (name === "Say") speechBlocks += blocksOf(tag.index - said.from, said.loop);
      continue;
    }
    const fault = faultOf(name, open, seenRoot);
    if (fault) return unread(fault);
    seenRoot = true;
    const loop = name === "Say" ? loopOf(attributes) : 1;
    if (loop === undefined) return unread("its Say repeats without a known end");
    if (name === "Say") said = { from: TAG.lastIndex, loop };
    if (!closed) open.push(name);
  }
  return seenRoot && open.length === 0 ? { ok: true, speechBlocks } : unread("its TwiML is not plain XML");
}

/** Why an element may not stand where it stands: `Response`, then verbs, then speech inside `Say`. */
function faultOf(name: string, open: readonly string[], seenRoot: boolean): string | undefined {
  if (open.length === 0) return name === "Response" && !seenRoot ? undefined : "its TwiML is not one Response";
  if (open.length === 1) return HARMLESS.has(name) ? undefined : `its TwiML has the verb ${name.slice(0, 40)}`;
  return open[1] === "Say" && SSML.has(name) ? undefined : `its TwiML has ${name.slice(0, 40)} inside ${open[1]}`;
}

/** How often a `Say` is spoken; undefined for 0, which is without end, and for what is no plain number. */
function loopOf(attributes: string): number | undefined {
  const loops = [...attributes.matchAll(ATTRIBUTE)].filter(([, name]) => name!.toLowerCase() === "loop");
  if (loops.length === 0) return 1;
  const value = loops[0]![2] ?? loops[0]![3] ?? "";
  return loops.length === 1 && /^[1-9][0-9]{0,3}$/.test(value) ? Number(value) : undefined;
}

function blocksOf(characters: number, loop: number): bigint {
  return characters === 0 ? 0n : BigInt(Math.ceil((characters * loop) / SPEECH_BLOCK_CHARACTERS));
}

function unread(why: string): TwimlReading {
  return { ok: false, why };
}
