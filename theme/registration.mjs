// Browsers let a page opened from a disk run scripts, but neither fetch files nor import modules.
// So what site.js loads later comes as scripts that put a value into its map.
export const registration = (key, value) =>
  `book.set(${JSON.stringify(key)}, ${JSON.stringify(value)});\n`;
