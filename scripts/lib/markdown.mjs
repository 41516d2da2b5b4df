// Guides as HTML: highlighted code, tabs of languages, links between guides and into the reference, and their sections
// as text for the search. The files themselves stay plain Markdown, as a repository's page shows it.
import GithubSlugger from "github-slugger";
import { Marked } from "marked";
import { createCssVariablesTheme, createHighlighterCore } from "shiki/core";
import { createJavaScriptRegexEngine } from "shiki/engine/javascript";

const languages = ["html", "ini", "javascript", "json", "nginx", "python", "shellscript", "sql", "toml", "typescript"];
const theme = createCssVariablesTheme({ name: "site", variablePrefix: "--", fontStyle: false });
const tabNames = { sh: "curl", python: "Python", ts: "TypeScript" };

export const escape = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");

/** `link` answers the address of what a code span names, or undefined. */
export async function markdown(link) {
  const highlighter = await createHighlighterCore({
    langs: languages.map((name) => import(`shiki/langs/${name}.mjs`)),
    themes: [theme],
    engine: createJavaScriptRegexEngine(),
  });
  return (text, page) => render(text, page, highlighter, link);
}

/** Answers the page's title, its HTML, its headings and its sections. */
function render(text, page, highlighter, link) {
  const slugger = new GithubSlugger();
  const headings = [];
  let tabs = 0;
  let inHeading = false;
  const renderer = {
    heading({ tokens, depth, text }) {
      inHeading = true;
      const html = this.parser.parseInline(tokens);
      inHeading = false;
      if (depth === 1) return `<h1>${html}</h1>\n`;
      const plain = text.replace(/`/g, "");
      const id = slugger.slug(plain);
      headings.push({ id, depth, html, text: plain });
      const anchor = `<a class="anchor" href="#${id}" aria-label="Link to this section: ${escape(plain)}">#</a>`;
      return `<div class="heading"><h${depth} id="${id}">${html}</h${depth}>${anchor}</div>\n`;
    },
    link({ href, tokens }) {
      const guide = href.match(/^([\w-]+)\.md(#.*)?$/);
      return `<a href="${guide ? `/docs/${guide[1]}${guide[2] ?? ""}` : escape(href)}">${this.parser.parseInline(tokens)}</a>`;
    },
    codespan({ text }) {
      // A narrow column breaks long names where a reader would.
      const code = `<code>${escape(text).replace(/(?<=\w)[_/](?=\w)/g, "$&<wbr>")}</code>`;
      const address = inHeading ? undefined : link(text, page);
      return address ? `<a href="${address}">${code}</a>` : code;
    },
    code({ text, lang }) {
      return highlight(highlighter, text, lang?.split(" ")[0]);
    },
    table({ header, rows }) {
      const cells = (row, cell) => row.map((content, index) => cell(this.parser.parseInline(content.tokens), index)).join("");
      const head = header.some(({ text }) => text) ? `<thead><tr>${cells(header, (html) => `<th scope="col">${html}</th>`)}</tr></thead>\n` : "";
      const body = rows.map((row) => `<tr>${cells(row, (html) => `<td>${html}</td>`)}</tr>`).join("\n");
      return `<table>${head}<tbody>\n${body}\n</tbody></table>\n`;
    },
    listitem({ tokens, task, checked }) {
      const content = this.parser.parse(tokens.filter(({ type }) => type !== "checkbox"), false);
      if (!task) return `<li>${content}</li>\n`;
      return `<li class="task"><label><input type="checkbox"${checked ? " checked" : ""}> <span>${content}</span></label></li>\n`;
    },
  };
  const tabGroup = {
    name: "tabs",
    renderer({ codes }) {
      const name = `language-${++tabs}`;
      const named = codes.map((code) => [tabName(code), this.parser.parse([code])]);
      const choices = named.map(([tab], index) => `<label><input type="radio" name="${name}" value="${tab}"${index ? "" : " checked"}>${tab}</label>`);
      const panels = named.map(([tab, html]) => `<div class="panel" data-tab="${tab}">${html}</div>`);
      return `<div class="tabs"><fieldset><legend>Language</legend>${choices.join("")}</fieldset>\n${panels.join("\n")}</div>\n`;
    },
  };
  const marked = new Marked({ gfm: true, renderer, extensions: [tabGroup] });
  const tokens = marked.lexer(text);
  return {
    title: tokens.find(({ type, depth }) => type === "heading" && depth === 1).text,
    html: marked.parser(grouped(tokens)),
    headings,
    sections: sections(tokens),
  };
}

const tabName = ({ lang = "" }) => lang.split(" ")[1] ?? tabNames[lang];

/** Blocks of code that follow each other and are of different languages become one block with tabs. */
function grouped(tokens) {
  const result = [];
  for (const token of tokens) {
    const last = result.findLast(({ type }) => type !== "space");
    if (token.type !== "code" || !tabName(token)) {
      result.push(token);
    } else if (last?.type === "tabs" && !last.codes.some((code) => tabName(code) === tabName(token))) {
      last.codes.push(token);
    } else {
      result.push({ type: "tabs", codes: [token], raw: token.raw });
    }
  }
  return result.map((token) => (token.type === "tabs" && token.codes.length === 1 ? token.codes[0] : token));
}

/** What lies below each heading, as text; the first section is the page's own. Ids are counted as `render` counts them. */
function sections(tokens) {
  const slugger = new GithubSlugger();
  const found = [];
  for (const token of tokens) {
    if (token.type === "heading") {
      const title = token.text.replace(/`/g, "");
      found.push({ title, id: token.depth > 1 ? slugger.slug(title) : "", text: "" });
    } else if (found.length) {
      found.at(-1).text += ` ${plain(token)}`;
    }
  }
  return found.map((section) => ({ ...section, text: section.text.replace(/\s+/g, " ").trim() }));
}

function plain(token) {
  if (token.type === "html") return "";
  if (token.type === "table") return [token.header, ...token.rows].flat().map(plain).join(" ");
  const inner = token.items ?? token.tokens;
  return inner ? inner.map(plain).join(token.items ? " " : "") : (token.text ?? "");
}

function highlight(highlighter, text, lang = "text") {
  const classes = {
    pre(node) {
      node.properties = { tabindex: "0" };
    },
    span(node) {
      const name = node.properties.style?.match(/--token-([\w-]+)/)?.[1];
      delete node.properties.style;
      if (name) node.properties.class = `token-${name}`;
    },
  };
  const html = highlighter.codeToHtml(text, { lang, theme: "site", transformers: [classes] });
  return `<div class="code" data-lang="${lang}">${html}</div>\n`;
}
