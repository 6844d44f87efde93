// Text to HTML: escaping, LaTeX, Markdown from outputs, highlighted code, coloured streams.
import hljs from 'highlight.js/lib/common';
import katex from 'katex'; // the version inside mystmd, which typesets all but outputs
import MarkdownIt from 'markdown-it';

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
export const esc = (s) => String(s ?? '').replace(/[&<>"]/g, (c) => ENTITIES[c]);

export const attr = (name, value) =>
  value === undefined || value === null || value === '' ? '' : ` ${name}="${esc(value)}"`;

/** A template on several lines: a break beside a tag stands for nothing, any other for a space. */
export const html = (strings, ...values) =>
  String.raw(
    { raw: strings.map((s) => s.replace(/(?<=>)\n\s*|\n\s*(?=<)/g, '').replace(/\n\s*/g, ' ')) },
    ...values,
  );
export const cls = (...names) => attr('class', names.filter(Boolean).join(' '));

/** LaTeX to HTML; an invalid formula throws, because a page with red source code is no page. */
export const tex = (source, macros, displayMode) =>
  katex.renderToString(source, {
    displayMode,
    throwOnError: true,
    strict: false,
    macros: { ...macros },
  });

/** A text/latex output, with or without its delimiters. */
export function latexOutput(source, macros) {
  const body =
    /^\s*(?:\$\$?|\\\[|\\\()([\s\S]*?)(?:\$\$?|\\\]|\\\))\s*$/.exec(source)?.[1] ?? source;
  return tex(body.replace(/^\s*\\displaystyle\s/, ''), macros, true);
}

const markdownIt = new MarkdownIt({ html: true });

/** Markdown with $…$ and $$…$$. Formulas are set aside first, so that Markdown leaves them alone. */
export function markdown(source, macros, { inline = false } = {}) {
  const formulas = [];
  const held = source.replace(
    /\$\$([\s\S]+?)\$\$|\$([^\s$](?:[^$\n]*[^\s$])?)\$/g,
    (_, display, inText) =>
      `\u0002${formulas.push(tex(display ?? inText, macros, !!display)) - 1}\u0003`,
  );
  const html = inline ? markdownIt.renderInline(held) : markdownIt.render(held);
  return html.replace(/\u0002(\d+)\u0003/g, (_, i) => formulas[i]);
}

const LANGUAGES = { ipython3: 'python', ipython: 'python', console: 'bash', text: 'plaintext' };

export function highlight(source, lang) {
  const language = LANGUAGES[lang] ?? lang;
  return hljs.getLanguage(language)
    ? hljs.highlight(source, { language, ignoreIllegals: true }).value
    : esc(source);
}

/** Terminal colours (tracebacks, coloured streams) to spans. */
export function ansi(source) {
  let open = false;
  const html = esc(source).replace(/\u001b\[([\d;]*)m/g, (_, codes) => {
    const styles = codes
      .split(';')
      .map(Number)
      .filter((x) => x === 1 || (x >= 30 && x <= 37));
    const end = open ? '</span>' : '';
    open = styles.length > 0;
    return end + (open ? `<span class="${styles.map((x) => `ansi-${x}`).join(' ')}">` : '');
  });
  return html.replace(/\u001b\[[\d;?]*[A-Za-z]/g, '') + (open ? '</span>' : '');
}
