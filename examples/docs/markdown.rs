//! Headings and sections of the project's Markdown documents, and the names by which a link leads to them. Pure.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use std::collections::HashMap;

/// A heading.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Heading {
    /// From 1 on.
    pub(crate) level: usize,
    /// What stands behind `#` in a link to it.
    pub(crate) anchor: String,
    /// Where it begins and where its text begins, in bytes.
    pub(crate) start: usize,
    end: usize,
}

/// Where a link of a document leads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) address: String,
    /// In bytes from the beginning.
    pub(crate) at: usize,
}

/// The parser with everything that the documents use.
fn parser(markdown: &str) -> Parser<'_> {
    Parser::new_ext(markdown, Options::ENABLE_TABLES)
}

/// The headings of a document. A second one of the same text has `-1` behind its anchor, and so on, as forges have it.
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

/// The text below a heading, up to the next of its level; `None` when there is no such heading.
pub(crate) fn section<'m>(markdown: &'m str, anchor: &str) -> Option<&'m str> {
    let headings = headings(markdown);
    let at = headings.iter().position(|h| h.anchor == anchor)?;
    let next = headings[at + 1..]
        .iter()
        .find(|h| h.level <= headings[at].level);
    Some(&markdown[headings[at].end..next.map_or(markdown.len(), |next| next.start)])
}

/// The text with its highest headings on that level, those below them lower by as much, and without the document's title.
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

/// What a forge calls a heading: lower case, dashes for spaces, nothing else but letters, digits, dashes and underlines.
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
    fn headings_go_down_together_and_the_title_goes() {
        let text = "# T\n\na\n\n## B\n\n### C\n\n```\n# no heading\n```\n";
        let wanted = "\na\n\n### B\n\n#### C\n\n```\n# no heading\n```\n";
        assert_eq!(demoted(text, 3), wanted);
        assert_eq!(demoted("# T\n\na\n", 3), "\na\n");
        assert_eq!(demoted("a\n", 3), "a\n");
    }
}
