//! Tables of text.

/// How a column is printed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    /// What separates it from the column before.
    pub(crate) separator: &'static str,
    /// The least width.
    pub(crate) min: usize,
    /// The width above which a cell moves the cells after it.
    pub(crate) max: usize,
}

/// A column that is as wide as its widest cell.
pub(crate) const COLUMN: Column = Column {
    separator: "  ",
    min: 0,
    max: usize::MAX,
};

/// A first column, without indentation.
pub(crate) const FIRST: Column = Column {
    separator: "",
    ..COLUMN
};

/// Renders a line for each row. No line ends in blanks that only fill a column.
pub(crate) fn table<const N: usize>(columns: [Column; N], rows: &[[String; N]]) -> String {
    // Rust's own padding counts characters too, and not bytes.
    let length = |cell: &String| cell.chars().count();
    let mut widths = [0; N];
    for (at, column) in columns.iter().enumerate() {
        let widest = rows.iter().map(|row| length(&row[at])).max();
        widths[at] = widest.unwrap_or(0).min(column.max).max(column.min);
    }
    let mut text = String::new();
    for row in rows {
        let mut end = text.len();
        for ((cell, column), width) in row.iter().zip(columns).zip(widths) {
            text += column.separator;
            text += cell;
            if !cell.is_empty() {
                end = text.len();
            }
            text.extend(std::iter::repeat_n(' ', width.saturating_sub(length(cell))));
        }
        text.truncate(end);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_characters() {
        let columns = [
            FIRST,
            Column { min: 4, ..COLUMN },
            Column { max: 3, ..COLUMN },
            COLUMN,
        ];
        let rows = [
            ["é", "b", "long cell", "d"],
            ["ab", "", "c", "d"],
            ["ab", "b", "", ""],
        ];
        let rows = rows.map(|row| row.map(String::from));
        let wanted = "é   b     long cell  d\nab        c    d\nab  b\n";
        assert_eq!(table(columns, &rows), wanted);
        assert_eq!(table([FIRST], &[]), "");
    }
}
