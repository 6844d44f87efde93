// What can be pointed at: labels, figure numbers and citations of the whole book.
import { findAll, is, joined, textOf } from './content.mjs';

export const FIGURE = 'application/vnd.nickbook.figure+json';
export const EXPLORER = 'application/vnd.nickbook.explorer+json';

/** The figure or explorer that an output holds, if any. */
export function figureData(output) {
  const data = output.jupyter_data?.data ?? {};
  const part = data[EXPLORER] ?? data[FIGURE];
  return part && JSON.parse(joined(part.content));
}

/** A code cell's figure gets the cell's label; mystmd resolves references through that label. */
function claimFigure(cell, page, next, problem) {
  const outputs = findAll(cell, is('output')).filter(figureData);
  if (outputs.length === 0) return;
  const [output] = outputs;
  const figure = figureData(output);
  if (outputs.length > 1)
    problem(
      page,
      `the cell "${cell.label}" has ${outputs.length} figures; one a cell can be cited`,
    );
  if (figure.label !== cell.label)
    problem(
      page,
      `figure "${figure.label}" stands in a cell with the label "${cell.label}"; both must agree`,
    );
  cell.number = next();
  output.figure = { ...figure, id: cell.html_id, number: cell.number };
}

/** Number figures in reading order, those of code cells together with those of {figure} directives. */
function numberFigures(page, problem) {
  const chapter = page.frontmatter.numbering?.enumerator?.enumerator?.match(/^(.+)\.%s$/)?.[1];
  let count = 0;
  const next = () => (chapter ? `${chapter}.${++count}` : `${++count}`);
  const visit = (node) => {
    if (node.type === 'embed' || node.visibility === 'remove') return;
    if (node.type === 'container') {
      if (node.kind === 'figure' && node.enumerator) node.number = next();
    } else if (node.kind === 'notebook-code' && !node.children.some(is('container'))) {
      claimFigure(node, page, next, problem);
    } else {
      node.children?.forEach(visit);
    }
  };
  visit(page.mdast);
  return chapter;
}

const NAMES = {
  equation: (n) => `(${n})`,
  figure: (n) => `Figure ${n}`,
  table: (n) => `Table ${n}`,
};

/** The words for a link that has none of its own. */
function nameOf({ node, number }) {
  const kind =
    node.type === 'math'
      ? 'equation'
      : node.kind === 'notebook-code'
        ? 'figure'
        : (node.kind ?? node.type);
  if (number && NAMES[kind]) return NAMES[kind](number);
  if (number && node.type === 'heading') return `Section ${number}`;
  if (number) return `${kind[0].toUpperCase()}${kind.slice(1)} ${number}`;
  return textOf(node);
}

const IMPORT = /^from (nickbook[\w.]*) import (?:\(([^)]*)\)|(.*))/gm;

/** What the code cells of a page import from the package: names by module, in order. */
export function imports(page) {
  const modules = new Map();
  for (const { value } of findAll(page.mdast, (n) => n.type === 'code' && n.executable))
    for (const [, module, inside, list = inside] of value.matchAll(IMPORT)) {
      const names = list.replace(/#.*/g, '').split(',');
      const known = modules.get(module) ?? [];
      modules.set(module, [...known, ...names.map((name) => name.trim().split(/\s/)[0])]);
    }
  return [...modules]
    .map(([module, names]) => ({ module, names: [...new Set(names)].filter(Boolean).sort() }))
    .sort((a, b) => (a.module < b.module ? -1 : 1));
}

export class References {
  #onPage = new Map();
  #everywhere = new Map();
  /** Sections of the package's reference, by the public name that each is about. */
  api = new Map();

  constructor(pages, problem) {
    this.citations = Object.assign({}, ...pages.map((page) => page.references?.cite?.data));
    for (const page of pages) {
      page.chapter = numberFigures(page, problem);
      const targets = new Map();
      for (const node of findAll(
        page.mdast,
        (n) => n.html_id && n.type !== 'crossReference' && n.type !== 'captionNumber',
      )) {
        const target = { page, node, id: node.html_id, number: node.number ?? node.enumerator };
        targets.set(target.id, target);
        if (!node.implicit && !this.#everywhere.has(target.id))
          this.#everywhere.set(target.id, target);
        if (node.type === 'heading' && target.id.startsWith('api-nickbook-'))
          this.api.set(textOf(node), target);
      }
      this.#onPage.set(page, targets);
    }
  }

  /** A label on the given page, else anywhere in the book; labels are compared as mystmd does. */
  find(label, page) {
    const id = label.toLowerCase();
    return this.#onPage.get(page)?.get(id) ?? this.#everywhere.get(id);
  }

  nameOf = nameOf;
}
