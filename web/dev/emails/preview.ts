// /dev/emails: every e-mail in both languages, light, dark, inverted and as text.
import type { Answer } from "../stand-in/server.ts";
import { examples, languages, render, type Brand } from "./render.ts";

export const mails = Object.keys(examples.mails);
export const themes = ["light", "dark", "inverted"] as const;
export type Theme = (typeof themes)[number];

/** Neither a script nor anything from elsewhere, as in a mailbox that loads no pictures. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

export function example(name: string, language: string, brand: Partial<Brand> = {}) {
  return render(name, language, { ...examples.brand, ...brand }, { ...examples.asked, ...examples.mails[name] });
}

const escape = (text: string) => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

/** What a program that obeys the theme shows, whatever this browser's is; and what one that inverts every colour makes of it. */
export function inTheme(html: string, theme: Theme): string {
  if (theme === "dark") return html.replaceAll("(prefers-color-scheme: dark)", "all");
  const light = html.replaceAll("(prefers-color-scheme: dark)", "not all");
  return theme === "light" ? light : light.replace("</style>", "html { background: #fff; filter: invert(1) hue-rotate(180deg); }</style>");
}

export function answerEmails(url: URL): Answer {
  const [, , , name = "", language = "en", as = "light"] = url.pathname.split("/");
  const colour = url.searchParams.get("colour");
  const brand = colour ? { colour: `#${colour}` } : {};
  if (!mails.includes(name) || !languages.includes(language)) return page("E-mails", list());
  const { html, text, subject } = example(name, language, brand);
  if (themes.includes(as as Theme)) {
    return { status: 200, headers: { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": POLICY }, body: inTheme(html, as as Theme) };
  }
  if (as === "text") return { status: 200, headers: { "Content-Type": "text/plain; charset=utf-8" }, body: text };
  const frames = languages.flatMap((one) =>
    [...themes, "text"].map((theme) => {
      const address = `/dev/emails/${name}/${one}/${theme}${url.search}`;
      return `<figure><figcaption><a href="${address}">${one}, ${theme}</a></figcaption><iframe sandbox src="${address}" title="${one}, ${theme}"></iframe></figure>`;
    }),
  );
  return page(`${name}: ${escape(subject)}`, `<p><a href="/dev/emails">All of them</a>; <code>?colour=ffd400</code> for a brand's colour</p><div>${frames.join("")}</div>`);
}

function list(): string {
  const rows = mails.map((name) => `<tr><th><a href="/dev/emails/${name}/en/all">${name}</a></th>${languages.map((one) => `<td>${escape(example(name, one).subject)}</td>`).join("")}</tr>`);
  return `<table>${rows.join("")}</table>`;
}

const style =
  "body{font:1rem/1.5 system-ui;margin:1.5rem}th{text-align:start}td,th{padding:.25rem 1rem .25rem 0}div{display:grid;grid-template-columns:repeat(auto-fill,minmax(38rem,1fr));gap:1rem}figure{margin:0}iframe{width:100%;height:44rem;border:1px solid #999}";

const page = (title: string, body: string): Answer => ({
  status: 200,
  headers: { "Content-Type": "text/html; charset=utf-8" },
  body: `<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${style}</style><h1>${title}</h1>${body}`,
});
