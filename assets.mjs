// Fills portal/static/vendor/ from the npm packages that package-lock.json pins. Run: make assets
import { build } from "esbuild";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(fileURLToPath(import.meta.url));
const packages = path.join(root, "node_modules");
const out = path.join(root, "portal/static/vendor");
fs.rmSync(out, { recursive: true, force: true });
fs.mkdirSync(path.join(out, "files"), { recursive: true });

const read = (name) => fs.readFileSync(path.join(packages, name), "utf8");
const write = (name, text) => fs.writeFileSync(path.join(out, name), text);

// 1. As they are, without pointers to source maps, which are not served ---------------------------
const copies = {
  "designsystemet-theme.css": "@digdir/designsystemet-css/dist/theme/designsystemet.css",
  "designsystemet.css": "@digdir/designsystemet-css/dist/src/index.css",
  "designsystemet-web.js": "@digdir/designsystemet-web/dist/umd/index.js",
  "event-calendar.css": "@event-calendar/core/dist/index.css",
  "htmx.min.js": "htmx.org/dist/htmx.min.js",
};
for (const [to, from] of Object.entries(copies)) {
  write(to, read(from).replace(/^\/\/# sourceMappingURL=.*$|\/\*# sourceMappingURL=.*?\*\//gm, ""));
}

// 2. The typeface, in the alphabets that the languages of the pages need ---------------------------
const alphabets = ["latin", "latin-ext", "cyrillic"];
const faces = read("@fontsource-variable/inter/wght.css").match(/@font-face\s*{[^}]*}/g);
const kept = faces.filter((face) => alphabets.some((name) => face.includes(`inter-${name}-wght-normal`)));
if (kept.length !== alphabets.length) throw new Error("The typeface's style sheet has changed: look at assets.mjs.");
write("inter.css", `${kept.join("\n")}\n`);
for (const name of alphabets) {
  const file = `inter-${name}-wght-normal.woff2`;
  fs.copyFileSync(path.join(packages, "@fontsource-variable/inter/files", file), path.join(out, "files", file));
}

// 3. The calendar: one classic script that puts EventCalendar on window -----------------------------
await build({
  stdin: {
    contents: 'export { createCalendar, destroyCalendar, TimeGrid, ResourceTimeGrid, List } from "@event-calendar/core";',
    resolveDir: root,
  },
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "EventCalendar",
  target: ["chrome109", "firefox115", "safari16"],
  outfile: path.join(out, "event-calendar.js"),
  legalComments: "eof",
  logLevel: "warning",
});

// 4. The icons: a sprite with those that the project names, and a small one for the pages of patients
// A name counts where it stands as icon names do: in quotes, after # (of the sprite) or after `icon:`.
const drawn = path.join(packages, "@navikt/aksel-icons/dist/svg");
const known = new Set(fs.readdirSync(drawn).map((file) => path.basename(file, ".svg")));
const used = new Set();
const guests = new Set();
const ofGuests =
  /^(templates\/(patient_base|rooms\/(?!room\.|host_)\w+|components\/(languages|messages|person))\.html|portal\/static\/js\/(camera|waiting)\.js)$/;
const places = { templates: /\.html$/, apps: /\.(py|ya?ml|html)$/, portal: /\.(py|js|ya?ml|html)$/ };
for (const [folder, wanted] of Object.entries(places)) {
  const start = path.join(root, folder);
  const files = fs.existsSync(start) ? fs.readdirSync(start, { recursive: true }) : [];
  for (const file of files.filter((name) => wanted.test(name) && !name.startsWith("static/vendor"))) {
    const text = fs.readFileSync(path.join(start, file), "utf8");
    for (const [, name] of text.matchAll(/(?:["'#]|icon:\s*)([A-Z][A-Za-z0-9]+)\b/g)) {
      if (!known.has(name)) continue;
      used.add(name);
      if (ofGuests.test(path.posix.join(folder, file))) guests.add(name);
    }
  }
}
const symbol = (name) => {
  const svg = fs.readFileSync(path.join(drawn, `${name}.svg`), "utf8");
  // A thousandth of the drawing's grid cannot be seen, and finer ones make the sprite a fifth heavier.
  const inner = svg.replace(/^[\s\S]*?<svg[^>]*>/, "").replace(/<\/svg>\s*$/, "").replace(/(\.\d{3})\d+/g, "$1").trim();
  return `<symbol id="${name}" viewBox="0 0 24 24" fill="none">${inner}</symbol>`;
};
for (const [file, names] of Object.entries({ "aksel-icons.svg": used, "aksel-icons-guests.svg": guests })) {
  const symbols = [...names].sort().map(symbol);
  write(file, `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`);
}

console.log(`portal/static/vendor is ready: ${fs.readdirSync(out, { recursive: true }).length} files, ${used.size} icons`);
