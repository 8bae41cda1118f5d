//! The lines that other commands of crossmerge keep in files of `etc/portage`: a block for each, between two comments.
//! All other lines of such a file are init's or the user's, and stay as they are.

/// Returns the comment before a block.
fn first(name: &str) -> String {
    format!("# crossmerge {name}: begin")
}

/// Returns the comment after a block.
fn last(name: &str) -> String {
    format!("# crossmerge {name}: end")
}

/// Returns the text with this block at its end, in place of an earlier one. At the end, its settings replace those of
/// the other lines.
pub(crate) fn with(text: &str, name: &str, lines: &str) -> String {
    let (mut text, lines) = (without(text, name), lines.trim_end());
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&format!("{}\n{lines}\n{}\n", first(name), last(name)));
    text
}

/// Returns the text without this block. A block that does not end is left as it is.
pub(crate) fn without(text: &str, name: &str) -> String {
    split(text, |found| found == name).0
}

/// Returns the text without any block.
pub(super) fn without_any(text: &str) -> String {
    split(text, |_| true).0
}

/// Lists the names of the blocks in a text.
pub(crate) fn names(text: &str) -> Vec<String> {
    let blocks = split(text, |_| true).1.into_iter();
    blocks.map(|(name, _)| name).collect()
}

/// Returns the lines of a block. `None` if the text does not have it.
pub(crate) fn lines_of(text: &str, name: &str) -> Option<String> {
    let blocks = split(text, |found| found == name).1;
    let (_, lines) = blocks.into_iter().next_back()?;
    Some(lines)
}

/// Adds the blocks of one text to another.
pub(super) fn copy(from: &str, to: &str) -> String {
    let blocks = split(from, |_| true).1;
    let add = |text: String, (name, lines): &(String, String)| with(&text, name, lines);
    blocks.iter().fold(to.to_owned(), add)
}

/// Splits a text into the lines outside the chosen blocks, and these blocks with their names.
fn split(text: &str, is_chosen: impl Fn(&str) -> bool) -> (String, Vec<(String, String)>) {
    let (mut rest, mut blocks) = (String::new(), Vec::new());
    let mut lines = text.split_inclusive('\n');
    while let Some(line) = lines.next() {
        let name = line.trim_end().strip_prefix("# crossmerge ");
        let name = name.and_then(|rest| rest.strip_suffix(": begin"));
        let block = name.filter(|name| is_chosen(name)).and_then(|name| {
            let last = last(name);
            let length = lines.clone().position(|line| line.trim_end() == last)?;
            Some((name, length))
        });
        let Some((name, length)) = block else {
            rest.push_str(line);
            continue;
        };
        blocks.push((name.to_owned(), lines.by_ref().take(length).collect()));
        lines.next();
        // The empty line before the block belongs to it.
        if rest == "\n" || rest.ends_with("\n\n") {
            rest.pop();
        }
    }
    (rest, blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_added_replaced_and_removed_and_other_lines_stay() {
        for text in ["", "A=\"1\"\n", "A=\"1\"\n\n# mine\n"] {
            let one = with(text, "farm serve", "B=\"2\"");
            assert_eq!(without(&one, "farm serve"), text);
            assert_eq!(with(&one, "farm serve", "B=\"2\"\n"), one);
            let two = with(&one, "farm use", "C=\"3\"");
            assert_eq!(without(&two, "farm use"), one);
            assert_eq!(without_any(&two), text);
            assert_eq!(names(&two), ["farm serve", "farm use"]);
            assert_eq!(copy(&two, text), two);
            let three = with(&two, "farm serve", "B=\"4\"");
            assert_eq!(names(&three), ["farm use", "farm serve"]);
        }
    }

    #[test]
    fn a_block_that_does_not_end_is_the_users() {
        let text = "# crossmerge farm use: begin\nA=\"1\"\n";
        assert_eq!(without_any(text), text);
        assert_eq!(names(text), Vec::<String>::new());
    }

    #[test]
    fn lines_after_a_block_stay() {
        let text = with("A=\"1\"\n", "x", "B=\"2\"") + "C=\"3\"\n";
        assert_eq!(without(&text, "x"), "A=\"1\"\nC=\"3\"\n");
    }
}
