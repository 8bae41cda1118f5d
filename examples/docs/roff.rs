//! Markdown → the text of a manual page. Pure.
//!
//! It supports the elements that the project's own documents use: headings, paragraphs, lists, code, tables and links. A table becomes a
//! list of tagged paragraphs, which is easier to read in a terminal than columns.

use pulldown_cmark::{Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};
use roff::{Inline, Roff, bold, italic, line_break, roman};

/// The longest line of text, in bytes, for which `mandoc -Tlint` prints no warning.
const WIDTH: usize = 78;

/// Renders the body of a page. A heading of the second level becomes a section, a lower one a subsection.
pub(crate) fn body(markdown: &str) -> String {
    let mut writer = Writer::default();
    let parser = Parser::new_ext(markdown, Options::ENABLE_TABLES);
    parser.for_each(|event| writer.event(event));
    writer.roff.to_roff()
}

/// Renders the first line of a page.
pub(crate) fn title(name: &str, section: &str, date: &str, version: &str) -> String {
    let mut roff = Roff::new();
    let name = name.to_uppercase();
    roff.control("TH", [&name, section, date, version, "crossmerge"]);
    roff.to_roff()
}

/// Renders the line of the section NAME, which `whatis` reads.
pub(crate) fn name(names: &str, summary: &str) -> String {
    format!("{} \\- {}\n", escaped(names), escaped(summary))
}

/// Renders the heading of a subsection.
pub(crate) fn subsection(title: &str) -> String {
    let mut roff = Roff::new();
    roff.control("SS", [escaped(title).as_str()]);
    roff.to_roff()
}

/// Renders the text below the options of a `--help`: paragraphs, and lines indented by two spaces, which are code.
pub(crate) fn after_help(text: &str) -> String {
    let set_in = |line: &str| line.replacen("  ", "    ", usize::from(line.starts_with("  ")));
    let mut markdown = String::new();
    let mut was_code = false;
    for line in text.lines() {
        let is_code = line.starts_with("  ");
        if is_code != was_code {
            markdown.push('\n');
        }
        markdown += &set_in(line);
        markdown.push('\n');
        was_code = is_code;
    }
    format!(".PP\n{}", body(&markdown))
}

/// Characters for which groff prints a typographic sign, unless they are written by name. In code they must stay the same, so that a user
/// can paste it. Each has a placeholder, which [`tidied`] replaces by the name, because the crate `roff` would escape the name.
const SIGNS: [(char, char, &str); 4] = [
    ('\'', '\u{e000}', r"\(aq"),
    ('`', '\u{e001}', r"\(ga"),
    ('^', '\u{e002}', r"\(ha"),
    ('~', '\u{e003}', r"\(ti"),
];

/// Breaks long lines of text at spaces, and removes white space at their ends. Makes text in backquotes bold, because clap's texts
/// contain backquotes and the rest of the page has bold text in their place.
pub(crate) fn tidied(page: &str) -> String {
    let mut text = String::new();
    let (mut is_code, mut is_tag) = (false, false);
    // clap_mangen writes an apostrophe as a string that only the head of its own pages defines, and an empty line before its lists.
    let page = page.replace(r"\*(Aq", "'").replace(".br\n\n.br\n", ".br\n");
    for line in page.lines() {
        let line = line.trim_end();
        is_code = (is_code || line == ".EX") && line != ".EE";
        if is_code || is_tag || line.starts_with('.') {
            text += line;
        } else {
            text += &filled(&emboldened(line));
        }
        text.push('\n');
        is_tag = line == ".TP";
    }
    for (_, stand_in, name) in SIGNS {
        text = text.replace(stand_in, name);
    }
    text
}

fn emboldened(line: &str) -> String {
    let mut parts = line.split('`');
    let mut text = parts.next().unwrap_or_default().to_owned();
    let rest: Vec<&str> = parts.collect();
    for pair in rest.chunks(2) {
        match pair {
            [code, after] => text += &format!(r"\fB{code}\fR{after}"),
            [alone] => text += &format!("`{alone}"),
            _ => {}
        }
    }
    text
}

fn filled(line: &str) -> String {
    let (mut text, mut width) = (String::new(), 0);
    for word in line.split(' ').filter(|word| !word.is_empty()) {
        if width > 0 && width + 1 + word.len() > WIDTH {
            text.push('\n');
            width = 0;
            if word.starts_with(['.', '\'']) {
                text += r"\&";
            }
        } else if width > 0 {
            text.push(' ');
            width += 1;
        }
        text += word;
        width += word.len();
    }
    text
}

/// Escapes text for the argument of a request, which the crate does not escape.
fn escaped(text: &str) -> String {
    plain(text).replace('\\', r"\\").replace('-', r"\-")
}

/// Replaces characters that some terminals or formatters lack.
fn plain(text: &str) -> String {
    let plain = text.replace('…', "...").replace('→', "->");
    plain.replace(['–', '—'], "-").replace('×', "x")
}

/// Does the same, and replaces the characters of [`SIGNS`] by their placeholders.
fn code(text: &str) -> String {
    let signs = |c| {
        SIGNS
            .iter()
            .find(|(sign, ..)| *sign == c)
            .map_or(c, |(_, stand_in, _)| *stand_in)
    };
    plain(text).chars().map(signs).collect()
}

/// The position of the next text.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// After a request that begins a paragraph.
    #[default]
    Begun,
    /// After text.
    Behind,
}

#[derive(Debug, Default)]
struct Writer {
    roff: Roff,
    place: Place,
    inlines: Vec<Inline>,
    /// How many bold and italic elements enclose the text.
    strong: usize,
    emphasis: usize,
    /// For each enclosing list its next number, or `None` for a list with bullets.
    lists: Vec<Option<u64>>,
    is_code: bool,
    /// The address of the enclosing link, and the index at which its text begins.
    link: Option<(String, usize)>,
    header: Vec<String>,
    row: Vec<Vec<Inline>>,
}

impl Writer {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.is_code => self.code(&text),
            // The parser reads a placeholder in a sentence, such as <tuple>, as an HTML tag.
            Event::Text(text) | Event::InlineHtml(text) | Event::Html(text) => self.push(&text),
            Event::Code(text) => self.inlines.push(bold(code(&text))),
            Event::SoftBreak => self.push(" "),
            Event::HardBreak => self.inlines.push(line_break()),
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Strong => self.strong += 1,
            Tag::Emphasis => self.emphasis += 1,
            Tag::Link {
                dest_url,
                link_type,
                ..
            } if link_type != LinkType::Autolink => {
                self.link = Some((dest_url.to_string(), self.inlines.len()));
            }
            Tag::CodeBlock(_) => {
                self.flush();
                if self.place == Place::Behind {
                    self.roff.control("sp", []);
                }
                self.roff.control("RS", ["4"]).control("EX", []);
                self.is_code = true;
            }
            Tag::List(first) => {
                self.flush();
                if !self.lists.is_empty() {
                    self.roff.control("RS", []);
                }
                self.lists.push(first);
            }
            Tag::Item => {
                match self.lists.last_mut() {
                    Some(Some(number)) => {
                        self.roff
                            .control("IP", [format!("{number}.").as_str(), "4"]);
                        *number += 1;
                    }
                    _ => {
                        self.roff.control("IP", [r"\(bu", "2"]);
                    }
                }
                self.place = Place::Begun;
            }
            Tag::TableHead => self.header.clear(),
            Tag::TableRow => self.row.clear(),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Strong => self.strong -= 1,
            TagEnd::Emphasis => self.emphasis -= 1,
            TagEnd::Link => self.end_link(),
            TagEnd::Paragraph => self.flush(),
            TagEnd::Item => self.flush(),
            TagEnd::List(_) => {
                self.lists.pop();
                if !self.lists.is_empty() {
                    self.roff.control("RE", []);
                }
                self.place = Place::Behind;
            }
            TagEnd::CodeBlock => {
                self.roff.control("EE", []).control("RE", []);
                self.is_code = false;
                self.place = Place::Behind;
            }
            TagEnd::Heading(level) => {
                let title = escaped(&text_of(&std::mem::take(&mut self.inlines)));
                match level {
                    HeadingLevel::H1 => return,
                    HeadingLevel::H2 => {
                        self.roff.control("SH", [title.to_uppercase().as_str()]);
                    }
                    _ => {
                        self.roff.control("SS", [title.as_str()]);
                    }
                }
                self.place = Place::Begun;
            }
            TagEnd::TableCell => self.row.push(std::mem::take(&mut self.inlines)),
            TagEnd::TableHead => {
                self.header = self.row.drain(..).map(|cell| text_of(&cell)).collect();
            }
            TagEnd::TableRow => self.row(),
            TagEnd::Table => self.place = Place::Behind,
            _ => {}
        }
    }

    fn push(&mut self, text: &str) {
        let text = plain(text);
        self.inlines.push(match (self.strong, self.emphasis) {
            (0, 0) => roman(text),
            (0, _) => italic(text),
            _ => bold(text),
        });
    }

    /// Writes the address of a link after its text, unless the text contains it. A document of the project is named by its path in the
    /// project, which is also its path below `share/doc/crossmerge`.
    fn end_link(&mut self) {
        let Some((address, at)) = self.link.take() else {
            return;
        };
        let text = text_of(&self.inlines[at..]);
        let (file, _) = address.split_once('#').unwrap_or((&address, ""));
        if address.contains("://") {
            if text != address {
                self.push(&format!(" <{address}>"));
            }
            return;
        }
        if file.is_empty() {
            return;
        }
        let file = match file.strip_prefix("../") {
            Some(file) => file.to_owned(),
            None => format!("docs/{file}"),
        };
        if text.ends_with(".md") || text.ends_with('/') {
            self.inlines.truncate(at);
            self.inlines.push(italic(file));
        } else {
            self.push(" (");
            self.inlines.push(italic(file));
            self.push(")");
        }
    }

    fn code(&mut self, text: &str) {
        for line in text.lines() {
            self.roff.text([roman(code(line))]);
        }
    }

    /// Writes the collected text as a paragraph.
    fn flush(&mut self) {
        let inlines = std::mem::take(&mut self.inlines);
        if inlines.is_empty() {
            return;
        }
        if self.place == Place::Behind {
            let request = if self.lists.is_empty() { "PP" } else { "IP" };
            self.roff.control(request, []);
        }
        self.roff.text(inlines);
        self.place = Place::Behind;
    }

    fn row(&mut self) {
        let mut cells = std::mem::take(&mut self.row).into_iter();
        self.roff.control("TP", []);
        self.roff.text(cells.next().unwrap_or_default());
        let mut has_text = false;
        for (cell, header) in cells.zip(self.header.iter().skip(1)) {
            if cell.is_empty() {
                continue;
            }
            let mut inlines = Vec::new();
            if has_text {
                self.roff.control("br", []);
                inlines = vec![italic(header.clone()), roman(": ")];
            }
            inlines.extend(cell);
            self.roff.text(inlines);
            has_text = true;
        }
    }
}

fn text_of(inlines: &[Inline]) -> String {
    let text = inlines.iter().map(|inline| match inline {
        Inline::Roman(text) | Inline::Bold(text) | Inline::Italic(text) => text.as_str(),
        Inline::LineBreak => " ",
    });
    text.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_markdown_has_its_request() {
        for (markdown, roff) in [
            ("## A title\n\ntext", ".SH \"A TITLE\"\ntext\n"),
            (
                "### A-title\n\n`code` and *more*",
                ".SS A\\-title\n\\fBcode\\fR and \\fImore\\fR\n",
            ),
            ("one\ntwo\n\nthree", "one two\n.PP\nthree\n"),
            ("- a\n- b\n\nc", ".IP \\(bu 2\na\n.IP \\(bu 2\nb\n.PP\nc\n"),
            ("1. a\n2. b", ".IP 1. 4\na\n.IP 2. 4\nb\n"),
            ("```\n.x -y\n```", ".RS 4\n.EX\n\\&.x \\-y\n.EE\n.RE\n"),
            (
                "| k | m |\n|---|---|\n| `a` | b |\n| c | |",
                ".TP\n\\fBa\\fR\nb\n.TP\nc\n",
            ),
            (
                "| k | m | o |\n|---|---|---|\n| a | b | c |",
                ".TP\na\nb\n.br\n\\fIo\\fR: c\n",
            ),
            (
                "[x.md](x.md#y), [y](../z.md), [z](#z)",
                "\\fIdocs/x.md\\fR, y (\\fIz.md\\fR), z\n",
            ),
        ] {
            assert_eq!(body(markdown), roff, "{markdown:?}");
        }
    }

    #[test]
    fn lines_are_filled_without_making_a_request() {
        let long = format!("{} .PP x", "y".repeat(76));
        assert_eq!(tidied(&long), format!("{}\n\\&.PP x\n", "y".repeat(76)));
        assert_eq!(tidied("a `b` c` "), "a \\fBb\\fR c`\n");
        assert_eq!(tidied(&body("`'~`, don't")), "\\fB\\(aq\\(ti\\fR, don't\n");
        let kept = format!(".TP\n{long}\n.EX\n{long}\n.EE\n");
        assert_eq!(tidied(&kept), kept);
    }
}
