// `node tools/card.mjs`: draw the social preview card, assets/card.png, with an installed Chromium.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [WIDTH, HEIGHT, CELLS] = [1200, 630, 4];

/** A site of the upper (0) or lower (1) layer, in an oblique view. */
const at = (i, j, layer) => [590 + i * 128 + j * 47, 290 - j * 48 + layer * 195];
const line = (a, b, colour, width) =>
  `<path d="M${a}L${b}" stroke="${colour}" stroke-width="${width}" stroke-linecap="round"/>`;

function lattice() {
  const sites = Array.from({ length: CELLS ** 2 }, (_, n) => [Math.floor(n / CELLS), n % CELLS]);
  const layer = (k) =>
    sites
      .map(
        ([i, j]) =>
          (i + 1 < CELLS ? line(at(i, j, k), at(i + 1, j, k), '#8fb6d6', 2) : '') +
          (j + 1 < CELLS ? line(at(i, j, k), at(i, j + 1, k), '#8fb6d6', 2) : ''),
      )
      .join('') +
    sites
      .map(
        ([i, j]) => `<circle cx="${at(i, j, k)[0]}" cy="${at(i, j, k)[1]}" r="8" fill="#2f6f9f"/>`,
      )
      .join('');
  return (
    layer(1) +
    sites.map(([i, j]) => line(at(i, j, 0), at(i, j, 1), '#c2571a', 5)).join('') +
    layer(0)
  );
}

const svg = `<!doctype html><style>body{margin:0}</style>
<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}"
 font-family="DejaVu Sans, Arial, sans-serif">
<rect width="100%" height="100%" fill="#fbfaf7"/>${lattice()}
<text x="70" y="240" font-size="84" font-weight="700" fill="#1c2024">nickbook</text>
<g font-size="34" fill="#454d57">
<text x="70" y="310">Superconductivity in</text><text x="70" y="356">bilayer nickelates</text></g>
<g font-size="25" fill="#5b6470">
<text x="70" y="470">Two theories, recomputed</text><text x="70" y="506">claim by claim</text></g>
</svg>`;

const directory = mkdtempSync(join(tmpdir(), 'card-'));
try {
  writeFileSync(join(directory, 'card.html'), svg);
  const chromium = process.env.CHROMIUM ?? 'chromium';
  const out = fileURLToPath(new URL('../theme/assets/card.png', import.meta.url));
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--hide-scrollbars',
  ];
  execFileSync(
    chromium,
    [
      ...flags,
      `--user-data-dir=${directory}`,
      `--window-size=${WIDTH},${HEIGHT}`,
      `--screenshot=${out}`,
      join(directory, 'card.html'),
    ],
    { stdio: 'inherit' },
  );
} finally {
  rmSync(directory, { recursive: true, force: true });
}
