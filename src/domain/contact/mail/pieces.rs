//! The parts of a mail, as HTML and as text.

use serde_json::Value as Json;

use super::Look;
use super::colours::Colours;
use super::values::{Values, escape, names, places, word};

const HTML: &str = include_str!("../../../../web/emails/layout.html");
const TEXT: &str = include_str!("../../../../web/emails/layout.txt");
const INLINE_LINK: &str = include_str!("../../../../web/emails/blocks/inline-link.html");
const FOOT: &str = include_str!("../../../../web/emails/blocks/foot.html");
const BLOCKS: [(&str, &str); 5] = [
    (
        "text",
        include_str!("../../../../web/emails/blocks/text.html"),
    ),
    (
        "note",
        include_str!("../../../../web/emails/blocks/note.html"),
    ),
    (
        "code",
        include_str!("../../../../web/emails/blocks/code.html"),
    ),
    (
        "button",
        include_str!("../../../../web/emails/blocks/button.html"),
    ),
    (
        "link",
        include_str!("../../../../web/emails/blocks/link.html"),
    ),
];

pub(super) struct Letter<'a> {
    pub words: &'a Json,
    /// The mail's own.
    pub sentences: &'a Json,
    pub values: &'a Values,
    pub look: Look<'a>,
}

/// A block for which there is everything.
struct Block<'a> {
    kind: &'static str,
    template: &'static str,
    line: &'a str,
    url: Option<&'a str>,
}

impl Letter<'_> {
    pub(super) fn subject(&self) -> String {
        places(word(self.sentences, "/subject"), &|name| {
            self.values.plain(name)
        })
    }

    /// The first of the sentences of which every place has a value.
    fn chosen<'b>(&self, line: &'b Json) -> Option<&'b str> {
        let complete = |line: &&str| names(line).iter().all(|name| self.values.has(name));
        match line {
            Json::String(line) => Some(line.as_str()).filter(complete),
            Json::Array(lines) => lines.iter().filter_map(Json::as_str).find(complete),
            _ => None,
        }
    }

    fn blocks(&self) -> Vec<Block<'_>> {
        let blocks = self.sentences.get("blocks").and_then(Json::as_array);
        let read = |block| {
            let (kind, template) = BLOCKS
                .iter()
                .find(|(kind, _)| Json::get(block, kind).is_some())?;
            Some(Block {
                kind,
                template: template.trim_end(),
                line: self.chosen(block.get(kind)?)?,
                url: block.get("url").and_then(Json::as_str),
            })
        };
        blocks.into_iter().flatten().filter_map(read).collect()
    }

    fn foot(&self) -> Vec<&str> {
        let lines = self.words.get("foot").and_then(Json::as_array);
        let lines = lines.into_iter().flatten();
        lines.filter_map(|line| self.chosen(line)).collect()
    }

    pub(super) fn html(&self) -> String {
        let colours = Colours::of(self.look.colour);
        let blocks = self.blocks();
        let blocks: String = blocks
            .iter()
            .map(|block| self.html_block(block, &colours))
            .collect();
        let foot: String = self
            .foot()
            .iter()
            .map(|line| self.html_piece(FOOT.trim_end(), line, None, &colours))
            .collect();
        let escaped = |name: &str| {
            places(&escape(word(self.sentences, name)), &|name| {
                self.values.as_html(name)
            })
        };
        with_slots(
            HTML,
            &|slot| match slot {
                "blocks" => blocks.clone(),
                _ => foot.clone(),
            },
            &|name| match name {
                "language" => word(self.words, "/language").to_owned(),
                "subject" => escape(&self.subject()),
                "preview" => escaped("/preview"),
                "title" => escaped("/title"),
                name => self.html_value(name, &colours),
            },
        )
    }

    fn html_block(&self, block: &Block<'_>, colours: &Colours<'_>) -> String {
        self.html_piece(block.template, block.line, block.url, colours)
    }

    fn html_piece(
        &self,
        template: &str,
        line: &str,
        url: Option<&str>,
        colours: &Colours<'_>,
    ) -> String {
        let text = places(&escape(line), &|name| match (name, self.look.support) {
            ("support", Some(support)) => places(INLINE_LINK.trim_end(), &|name| match name {
                "url" => escape(support),
                _ => escape(shown(support)),
            }),
            (name, _) => self.values.as_html(name),
        });
        with_slots(template, &|_| text.clone(), &|name| match (name, url) {
            ("url", Some(url)) => places(url, &|name| self.values.as_html(name)),
            (name, _) => self.html_value(name, colours),
        })
    }

    fn html_value(&self, name: &str, colours: &Colours<'_>) -> String {
        match name {
            "accent" => colours.accent.to_owned(),
            "on_accent" => colours.on_accent.to_owned(),
            "accent_edge" => colours.accent_edge.to_owned(),
            name => self.values.as_html(name),
        }
    }

    pub(super) fn text(&self) -> String {
        let filled = |line: &str| places(line, &|name| self.text_value(name));
        let blocks: Vec<String> = self
            .blocks()
            .iter()
            .map(|block| match block.url {
                Some(url) => format!(
                    "{}:\n{}",
                    block.line,
                    places(url, &|name| self.values.as_text(name))
                ),
                None if block.kind == "code" => {
                    places(block.line, &|name| self.values.as_text(name))
                }
                None => filled(block.line),
            })
            .collect();
        let foot: Vec<String> = self.foot().iter().map(|line| filled(line)).collect();
        let whole = with_slots(
            TEXT,
            &|slot| match slot {
                "blocks" => blocks.join("\n\n"),
                _ => foot.join("\n"),
            },
            &|name| match name {
                "title" => places(word(self.sentences, "/title"), &|name| {
                    self.values.as_text(name)
                }),
                name => self.values.as_text(name),
            },
        );
        let lines: Vec<&str> = whole
            .split('\n')
            .map(|line| line.trim_end_matches(' '))
            .collect();
        lines.join("\n")
    }

    /// Help stands on a line of its own.
    fn text_value(&self, name: &str) -> String {
        match (name, self.look.support) {
            ("support", Some(support)) => format!("\n{}", shown(support)),
            (name, _) => self.values.as_text(name),
        }
    }
}

fn shown(support: &str) -> &str {
    support.strip_prefix("mailto:").unwrap_or(support)
}

/// A template with `{{slots}}`, whose value is finished, and places.
fn with_slots(
    template: &str,
    slot: &dyn Fn(&str) -> String,
    value: &dyn Fn(&str) -> String,
) -> String {
    let mut parts = template.split("{{");
    let mut filled = places(parts.next().unwrap_or_default(), value);
    for part in parts {
        match part.split_once("}}") {
            Some((name, rest)) => {
                filled.push_str(&slot(name));
                filled.push_str(&places(rest, value));
            }
            None => filled.push_str(&places(part, value)),
        }
    }
    filled
}
