// The style sheets of a page. They stand in the page itself, so that a phone draws it after one answer
// of the server; of KaTeX's they have what its formulas use.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { elementAt } from './cards.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
export const KATEX = join(here, 'node_modules/katex/dist');

/** KaTeX's sheet without the font formats that browsers which know the rest of this site pass over. */
export const katexSheet = readFileSync(join(KATEX, 'katex.min.css'), 'utf8').replace(
  /,url\([^)]*\.(?:woff|ttf)\) format\("\w+"\)/g,
  '',
);

const declared = (body, name) => new RegExp(`(?:^|;)${name}:"?(\\w+)`).exec(body)?.[1];
const faceOf = (body) => ({
  ...(declared(body, 'font-family') && { family: declared(body, 'font-family') }),
  ...(declared(body, 'font-weight') && { weight: declared(body, 'font-weight') }),
  ...(declared(body, 'font-style') && { style: declared(body, 'font-style') }),
});
/** @param {{ family?: string, weight?: string, style?: string }} face */
const nameOf = ({ family, weight, style }) => `${family} ${weight} ${style}`;
const classesIn = (selector) => [...selector.matchAll(/\.([\w-]+)/g)].map(([, name]) => name);

const RULES = [...katexSheet.matchAll(/([^{}]+)\{([^{}]*)\}/g)].map(([text, selector, body]) => {
  const font = selector === '@font-face' ? nameOf(faceOf(body)) : undefined;
  return { text, selector, body, font, file: /fonts\/([\w-]+\.woff2)/.exec(body)?.[1] };
});
/** What sets a font within formulas: the classes of an element, and those that stand above it. */
const SETS = RULES.filter(
  ({ font, body }) => !font && Object.keys(faceOf(body)).length > 0,
).flatMap(({ selector, body }) =>
  selector.split(',').map((one) => {
    const parts = one.split(/[\s>]+/).map(classesIn);
    return { own: parts.at(-1) ?? [], above: parts.slice(0, -1).flat(), face: faceOf(body) };
  }),
);
const PLAIN = { family: 'KaTeX_Main', weight: '400', style: 'normal' };
const ENTITIES = { '&lt;': '<', '&gt;': '>', '&amp;': '&', '&quot;': '"', '&#x27;': "'" };

/** The letters of one formula, added to those of each font. */
function lettersOf(formula, letters) {
  const stack = [{ classes: ['katex'], face: PLAIN }];
  for (const [, end, open, self, text] of formula.matchAll(
    /<(?:(\/)\w+|(\w[^>]*?)(\/?))>|([^<]+)/g,
  )) {
    if (end) stack.pop();
    else if (open && !self) {
      const { face } = stack[stack.length - 1];
      const classes = /class="([^"]*)"/.exec(open)?.[1].split(' ') ?? [];
      const above = new Set(stack.flatMap((element) => element.classes));
      const set = SETS.filter(
        (rule) =>
          rule.own.every((name) => classes.includes(name)) &&
          rule.above.every((name) => above.has(name)),
      );
      stack.push({ classes, face: Object.assign({}, face, ...set.map((rule) => rule.face)) });
    } else if (text) {
      const name = nameOf(stack[stack.length - 1].face);
      if (!letters.has(name)) letters.set(name, new Set());
      for (const letter of text.replace(/&[^;]+;/g, (entity) => ENTITIES[entity] ?? entity))
        letters.get(name)?.add(letter);
    }
  }
}

/** The letters that the formulas of a piece of HTML show, by font. */
export function fontsIn(html) {
  /** @type {Map<string, Set<string>>} */
  const letters = new Map();
  for (const { index } of html.matchAll(/<span class="katex-html"/g))
    lettersOf(elementAt(html, index), letters);
  return letters;
}

/** Without comments and the space that is for those who write it. */
const lean = (css) =>
  css
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/([{};,:])\s*\n\s*/g, '$1')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/ \{/g, '{');

/** Browsers refuse to load a font ahead from a file, and complain: there it comes with its text. */
const PRELOAD = `(files=>{if(location.protocol!=='file:')for(const href of files)document.head.append(
Object.assign(document.createElement('link'),{rel:'preload',href,as:'font',type:'font/woff2',crossOrigin:''}))})`;

/**
 * What the head of a page says of its looks: its style sheet, and the fonts to load at once, since
 * formulas show them before the first section.
 * @type {(main: string, opening: string, root: string) => string}
 */
export function styles(main, opening, root) {
  const classes = new Set(
    [...main.matchAll(/ class="([^"]*)"/g)].flatMap(([, names]) => names.split(' ')),
  );
  const fonts = fontsIn(main);
  const used = ({ font, selector }) =>
    font
      ? fonts.has(font)
      : selector.split(',').some((one) => classesIn(one).every((name) => classes.has(name)));
  const address = (file) => `${root}katex/fonts/${file}`;
  const katex = fonts.size ? RULES.filter(used).map(({ text }) => text) : [];
  const early = fontsIn(opening);
  const first = RULES.filter(({ font }) => font && early.has(font)).map(({ file }) =>
    address(file),
  );
  const preload = first.length
    ? `<script>${PRELOAD}(${JSON.stringify(first).replaceAll('<', '\\u003c')})</script>\n`
    : '';
  const own = readFileSync(join(here, 'assets/style.css'), 'utf8'); // again: the preview shows edits
  return `${preload}<style>${katex.join('').replaceAll('fonts/', address(''))}${lean(own)}</style>`;
}
