// What stands under a heading of the second level is one section. A browser lays out only those near
// the screen, which on a phone saves most of the work of opening a chapter.
import { is } from './content.mjs';

/** Screens of both kinds: CSS pixels of a line and its letters, and of a picture's width. */
const SCREENS = {
  narrow: { line: 26, letters: 42, picture: 380 },
  wide: { line: 28, letters: 85, picture: 720 },
};
const EQUATION = 75; // CSS pixels
const PARAGRAPH = 17; // between two of them

/** HTML without what is closed as the page opens, and without formulas for those who hear them. */
export function seen(html) {
  const closed =
    /<details(?![^>]* open)[^>]*>(<summary[^>]*>(?:(?!<details)[\s\S])*?<\/summary>)(?:(?!<details)[\s\S])*?<\/details>/g;
  const spoken = /<span class="katex-mathml">.*?<\/math><\/span>/gs;
  let [text, before] = [html.replace(spoken, ''), ''];
  while (text !== before) [text, before] = [text.replace(closed, '<p>$1</p>'), text];
  return text;
}

/**
 * About how high a piece of a page is on a screen, from its letters, formulas and pictures: it holds
 * the place of a section that has not been laid out.
 * @type {(text: string, screen: {line: number, letters: number, picture: number}) => number}
 */
function height(text, { line, letters, picture }) {
  const pictures = [...text.matchAll(/<img [^>]*width="(\d+)" height="(\d+)"/g)];
  const drawn = pictures.map(([, width, high]) => (Math.min(picture, +width) / +width) * +high);
  const equations = text.split(' class="eq"').length - 1;
  const lines = text.split(/<\/(?:p|pre|li|tr|dt|dd|h\d)>|\n(?=[^<]*<\/code>)/).map((part) => {
    const words = part
      .replace(/<[^>]*>/g, '')
      .replace(/&\w+;/g, '.')
      .trim();
    return words && Math.ceil(words.length / letters) * line + PARAGRAPH;
  });
  const sum = (numbers) => numbers.reduce((total, number) => total + Number(number), 0);
  return Math.round(sum(lines) + sum(drawn) + equations * EQUATION);
}

function section(html) {
  if (/<aside class="margin/.test(html)) return `<section>${html}</section>`; // stands beside the text
  const text = seen(html);
  const style = Object.entries(SCREENS).map(([name, of]) => `--${name}:${height(text, of)}px`);
  return `<section class="section" style="${style.join(';')}">${html}</section>`;
}

/**
 * Nodes that follow each other on a page, of which each has its HTML, in sections.
 * @type {(nodes: any[], render: (node: any) => string) => string}
 */
export function inSections(nodes, render) {
  /** @type {string[]} */
  const groups = [''];
  for (const node of nodes) {
    if (is('heading')(node) && node.depth === 2) groups.push('');
    groups[groups.length - 1] += render(node);
  }
  return groups[0] + groups.slice(1).map(section).join('');
}
