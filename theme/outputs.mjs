// Notebook outputs to HTML: the book's figures and explorers, then the usual MIME types.
import { joined } from './content.mjs';
import { EXPLORER, figureData } from './references.mjs';
import { registration } from './registration.mjs';
import { ansi, attr, esc, html, latexOutput, markdown } from './typeset.mjs';

const CAPTION = 'application/vnd.nickbook.caption+json';
const LEGIBLE = 9; // CSS pixels
const SMALL = 12; // letters of a figure that does not say how small its own are
// A figure's picture comes in the <img> that notebooks show.
const PNG = / src="data:image\/png;base64,([^"]*)"/;

/**
 * Point links such as href="#fig-5-gaps", and those to addresses of the published book, at the
 * page that holds the label; fill empty ones.
 */
function resolveLinks(html, c) {
  return html.replace(
    /<a\b([^>]*?)href="([^"]*)"([^>]*)>(<\/a>)?/g,
    (whole, before, url, after, empty) => {
      const label = url.startsWith('#') ? url.slice(1) : c.labelAt(url);
      if (!label || html.includes(`id="${label}"`)) return whole;
      const target = c.references.find(decodeURIComponent(label), c.page);
      if (!target) c.problem(`an output links to "#${label}", which no page defines`);
      if (!target) return whole;
      const name = empty ? `${esc(c.references.nameOf(target))}</a>` : '';
      return `<a class="xref"${before}href="${esc(c.hrefOf(target))}"${after}>${name}`;
    },
  );
}

/** An empty header cell is none to a screen reader, so it becomes a plain cell. */
const plainCorners = (html) => html.replace(/<th><\/th>/g, '<td></td>');

const prose = (source, c, options) =>
  resolveLinks(plainCorners(markdown(source, c.macros, options)), c);

function dataLink(figure, c) {
  if (!figure.data) return '';
  const { filename, text, base64 } = figure.data;
  const bytes = text === undefined ? Buffer.from(base64, 'base64') : Buffer.from(text);
  const size = bytes.length < 1000 ? `${bytes.length} B` : `${Math.round(bytes.length / 1000)} kB`;
  const kind = filename.split('.').at(-1).toUpperCase();
  const url = esc(c.publish(filename, { bytes }));
  return `<a class="data" href="${url}" download>Data of this figure (${kind}, ${size})</a>`;
}

function picture(figure, data, c) {
  const [, png] = joined(data['text/html']?.content).match(PNG) ?? [];
  if (!png) c.problem(`figure "${figure.label}" has no PNG`);
  if (!figure.alt) c.problem(`figure "${figure.label}" has no alternative text`);
  const bytes = Buffer.from(png ?? '', 'base64');
  const url = c.publish(`${figure.label}.png`, { bytes });
  const first = c.firstPicture === undefined;
  c.firstPicture ??= { url, bytes, alt: figure.alt };
  const size = attr('width', figure.width) + attr('height', figure.height);
  const image = (style) =>
    `<img class="plot${figure.map ? ' map' : ''}" src="${esc(url)}" alt="${esc(figure.alt)}"${size}${style}${first ? ' fetchpriority="high"' : ' loading="lazy"'}>`;
  if (data[EXPLORER]) return image('');
  // On a phone a figure shrinks until its smallest letters are this high, and then scrolls.
  const least = Math.ceil((LEGIBLE / (figure.text ?? SMALL)) * figure.width);
  const style = ` style="min-width:${Math.min(least, figure.width)}px"`;
  return `<div class="plot-box"><div class="plot-scroll">${image(style)}</div></div>`;
}

/**
 * The PNG stands until site.js has loaded the module and its model; without JavaScript it stays. It
 * takes the space that the module needs.
 */
function explorer(figure, data, c) {
  const model = c.publish(`${figure.label}.js`, {
    bytes: Buffer.from(registration(figure.label, figure.model)),
  });
  const module = c.publishModule(figure.esm);
  const still = picture(figure, data, c);
  const layout = figure.model.spec && c.layoutOf(figure.esm);
  return html`<div class="explorer" role="group" aria-label="Interactive figure"
    data-esm="${esc(figure.esm)}" data-model="${esc(figure.label)}"
    data-scripts="${esc(`${module} ${model}`)}">
    <div class="fallback">${layout?.(figure.model.spec, true, still) ?? still}<noscript>
      <p>The sliders of this figure need JavaScript.</p>
    </noscript></div>
    </div>`;
}

function figureHtml(figure, data, c) {
  const media = data[EXPLORER] ? explorer(figure, data, c) : picture(figure, data, c);
  const check = figure.check
    ? html`<details class="fold check"><summary>How it is checked</summary>
        <p>${prose(figure.check, c, { inline: true })} ${esc(figure.accuracy ?? '')}</p></details>`
    : '';
  const notes = `<div class="notes">${check}${dataLink(figure, c)}</div>`;
  if (c.inFigure) return `${media}${notes}`; // the directive has the caption
  const origin = figure.number ? undefined : c.references.find(figure.label, c.page);
  const number = figure.number ?? origin?.number;
  const href = origin ? c.hrefOf(origin) : `#${figure.id}`;
  const title = number ? `<a class="capnum" href="${esc(href)}">Figure ${esc(number)}</a> ` : '';
  const caption = prose(figure.caption ?? '', c).replace(/^<p>/, `<p>${title}`);
  const below = `<figcaption>${caption}${notes}</figcaption>`;
  return `<figure${attr('id', figure.id)} class="fig">${media}${below}</figure>`;
}

const image = (mime) => [
  mime,
  (text, c, part) => {
    const encoded =
      mime === 'image/svg+xml' && !part.path ? Buffer.from(text).toString('base64') : text;
    const src = part.path ? c.asset(part.path) : `data:${mime};base64,${encoded}`;
    const alt = c.alt || 'Output of the cell above';
    return `<img class="plot" src="${esc(src)}" alt="${esc(alt)}" loading="lazy">`;
  },
];

/** Best first. */
const MIME = [
  ['text/html', (text, c) => `<div class="out-html">${resolveLinks(plainCorners(text), c)}</div>`],
  image('image/svg+xml'),
  image('image/png'),
  image('image/jpeg'),
  ['text/latex', (text, c) => `<div class="eq-body">${latexOutput(text, c.macros)}</div>`],
  ['text/markdown', (text, c) => `<div class="out-md">${prose(text, c)}</div>`],
  ['text/plain', (text) => `<pre class="out-text">${ansi(text)}</pre>`],
];

function bundle(node, data, c) {
  if (data[CAPTION]) return ''; // for readers in Jupyter; here the figure itself has its caption
  const figure = node.figure ?? figureData(node);
  if (figure) return figureHtml(figure, data, c);
  const found = MIME.find(([mime]) => data[mime]);
  if (!found) c.problem(`no renderer for an output of ${Object.keys(data).join(', ')}`);
  return found ? found[1](joined(data[found[0]].content), c, data[found[0]]) : '';
}

export function output(node, c) {
  const data = node.jupyter_data;
  if (!data) return c.kids(node);
  if (data.output_type === 'stream')
    return `<pre class="out-${esc(data.name)}">${ansi(joined(data.text))}</pre>`;
  if (data.output_type === 'error')
    return `<pre class="out-error">${ansi(joined(data.traceback) || `${data.ename}: ${data.evalue}`)}</pre>`;
  return bundle(node, data.data ?? {}, c);
}
