//! Headings, sections and links of the project's Markdown documents, and the anchors of headings. Pure.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use std::collections::HashMap;

/// A heading.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Heading {
    /// 1 for the title, 2 and more for the headings below it.
    pub(crate) level: usize,
    /// The part after `#` in a link to it.
    pub(crate) anchor: String,
    /// The byte offset of the heading.
    pub(crate) start: usize,
    /// The byte offset after it.
    end: usize,
}

/// A link of a document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) address: String,
    /// Its byte offset in the document.
    pub(crate) at: usize,
}

/// The parser, with the extensions that the documents use.
fn parser(markdown: &str) -> Parser<'_> {
    Parser::new_ext(markdown, Options::ENABLE_TABLES)
}

/// The headings of a document. If several have the same text, `-1`, `-2` and so on are appended to the anchors of the later ones, as
/// forges do.
pub(crate) fn headings(markdown: &str) -> Vec<Heading> {
    let mut headings = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut text: Option<String> = None;
    for (event, range) in parser(markdown).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { .. }) => text = Some(String::new()),
            Event::Text(part) | Event::Code(part) => {
                if let Some(text) = &mut text {
                    text.push_str(&part);
                }
            }
            Event::End(TagEnd::Heading(level)) => {
                let anchor = anchor(&text.take().unwrap_or_default());
                let count = seen.entry(anchor.clone()).or_insert(0);
                let anchor = match *count {
                    0 => anchor,
                    count => format!("{anchor}-{count}"),
                };
                *count += 1;
                headings.push(Heading {
                    level: level as usize,
                    anchor,
                    start: range.start,
                    end: range.end,
                });
            }
            _ => {}
        }
    }
    headings
}

/// The links of a document.
pub(crate) fn links(markdown: &str) -> Vec<Link> {
    let links = parser(markdown).into_offset_iter();
    links
        .filter_map(|(event, range)| match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => Some(Link {
                address: dest_url.into_string(),
                at: range.start,
            }),
            _ => None,
        })
        .collect()
}

/// The text below a heading, up to the next heading of its level or a higher one. Returns `None` if the heading does not exist.
pub(crate) fn section<'m>(markdown: &'m str, anchor: &str) -> Option<&'m str> {
    let headings = headings(markdown);
    let at = headings.iter().position(|h| h.anchor == anchor)?;
    let next = headings[at + 1..]
        .iter()
        .find(|h| h.level <= headings[at].level);
    Some(&markdown[headings[at].end..next.map_or(markdown.len(), |next| next.start)])
}

/// The text without the document's title, with all headings lowered by the same amount, so that the highest are on `level`.
pub(crate) fn demoted(markdown: &str, level: usize) -> String {
    let headings = headings(markdown);
    let below_title = headings.iter().filter(|heading| heading.level > 1);
    let Some(highest) = below_title.map(|heading| heading.level).min() else {
        return without_title(markdown, &headings).to_owned();
    };
    let (mut text, mut from) = (String::new(), 0);
    for heading in &headings {
        text += &markdown[from..heading.start];
        from = if heading.level == 1 {
            heading.end
        } else {
            text += &"#".repeat(level.saturating_sub(highest));
            heading.start
        };
    }
    text + &markdown[from..]
}

fn without_title<'m>(markdown: &'m str, headings: &[Heading]) -> &'m str {
    &markdown[headings.first().map_or(0, |title| title.end)..]
}

/// The anchor that a forge generates for a heading: lower case, dashes for spaces, only letters, digits, dashes and underscores.
fn anchor(text: &str) -> String {
    let kept = text.trim().chars().filter_map(|c| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
        _ => None,
    });
    kept.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_ends_at_the_next_heading_of_its_level() {
        let text = "# T\n\n## `<a>-b c…`\n\none\n\n### D\n\ntwo\n\n## E\n\nthree\n\n## E\n\nfour\n";
        assert_eq!(section(text, "a-b-c"), Some("\none\n\n### D\n\ntwo\n\n"));
        assert_eq!(section(text, "d"), Some("\ntwo\n\n"));
        assert_eq!(section(text, "e"), Some("\nthree\n\n"));
        assert_eq!(section(text, "e-1"), Some("\nfour\n"));
        assert_eq!(section(text, "f"), None);
    }

    #[test]
    fn headings_are_lowered_together_and_the_title_is_removed() {
        let text = "# T\n\na\n\n## B\n\n### C\n\n```\n# no heading\n```\n";
        let wanted = "\na\n\n### B\n\n#### C\n\n```\n# no heading\n```\n";
        assert_eq!(demoted(text, 3), wanted);
        assert_eq!(demoted("# T\n\na\n", 3), "\na\n");
        assert_eq!(demoted("a\n", 3), "a\n");
    }
}
