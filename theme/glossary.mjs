// Words of the glossary: the first use on a page leads to the entry, whose hover card explains it.
import { findAll, is, textOf } from './content.mjs';

/** Other forms of a word stand at the end of its entry, after this. */
const ALSO = 'Also:';
const quoted = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** An entry's other forms, each a list of nodes: "*Also:* s±, $s_\pm$." */
function otherForms(description) {
  const nodes = description.children ?? [];
  const at = nodes.findIndex((n) => n.type === 'emphasis' && textOf(n) === ALSO);
  if (at < 0) return [];
  /** @type {any[][]} */
  const forms = [[]];
  for (const node of nodes.slice(at + 1)) {
    if (node.type !== 'text') {
      forms[forms.length - 1].push(node);
      continue;
    }
    const [first, ...more] = node.value.replace(/\.?\s*$/, '').split(/,\s+/);
    if (first.trim()) forms[forms.length - 1].push({ type: 'text', value: first });
    for (const form of more) forms.push(form ? [{ type: 'text', value: form }] : []);
  }
  return forms.filter((form) => form.length > 0);
}

export class Glossary {
  /** @type {{id: string, page: any, forms: any[][]}[]} */
  entries = [];
  /** @type {RegExp | undefined} */
  #pattern;
  #idOf = new Map();

  constructor(pages) {
    for (const page of pages)
      for (const list of findAll(page.mdast, is('definitionList')).filter((l) =>
        l.children.some((n) => n.html_id?.startsWith('term-')),
      ))
        list.children.forEach((term, i) => {
          if (term.type !== 'definitionTerm') return;
          const forms = [term.children, ...otherForms(list.children[i + 1])];
          this.entries.push({ id: term.html_id, page, forms });
        });
  }

  /** Words that mean the same, for the search. */
  synonyms() {
    return this.entries.map(({ forms }) => forms.map((form) => textOf({ children: form }).trim()));
  }

  /** Prepare to find each form, as it looks in HTML, alone or with the s of a plural. */
  #prepare(c) {
    for (const { id, forms } of this.entries)
      for (const form of forms) {
        const html = c.all(form).trim();
        const key = html.toLowerCase();
        if (!this.#idOf.has(key)) this.#idOf.set(key, id);
        if (/[\p{L}]$/u.test(html)) this.#idOf.set(`${key}s`, this.#idOf.get(key));
      }
    const forms = [...this.#idOf.keys()].sort((a, b) => b.length - a.length);
    this.#pattern = new RegExp(
      `(?<![\\p{L}\\p{N}<&/-])(?:${forms.map(quoted).join('|')})(?![\\p{L}\\p{N}-])`,
      'giu',
    );
  }

  /** A formula that is a word of the glossary, such as s± in LaTeX. */
  has(html, c) {
    if (!this.#pattern) this.#prepare(c);
    return this.#idOf.has(html.toLowerCase());
  }

  /** Link the words of a sentence that the page has not linked yet. */
  link(html, c) {
    if (!this.#pattern) this.#prepare(c);
    return html.replace(/** @type {any} */ (this.#pattern), (words) => {
      const id = this.#idOf.get(words.toLowerCase());
      if (c.explained.has(id)) return words;
      c.explained.add(id);
      const target = c.references.find(id, c.page);
      return `<a class="xref term" href="${c.hrefOf(target)}">${words}</a>`;
    });
  }
}

/** Running text: what is no text, such as links, code and formulas, is set aside. */
export function prose(nodes, c) {
  if (!c.explains) return c.all(nodes);
  const pieces = nodes.map((n) => {
    const html = c.node(n);
    const open =
      n.type === 'text' ||
      (n.type === 'emphasis' && n.children.every(is('text'))) ||
      (n.type === 'inlineMath' && c.glossary.has(html, c));
    return { html, open };
  });
  const held = pieces.map(({ html, open }, i) => (open ? html : `\u0002${i}\u0003`)).join('');
  return c.glossary.link(held, c).replace(/\u0002(\d+)\u0003/g, (_, i) => pieces[i].html);
}

/** What a page shows folded, or beside its text, explains no words. */
export function aside(c, render) {
  const before = c.explains;
  c.explains = false;
  const html = render();
  c.explains = before;
  return html;
}
