//! The file of learned answers. Answers are added and removed, and everything that a user wrote in it stays.

use super::error::LearnError;
use crate::site_cache::error::SiteCacheError;
use crossmerge_system::file::{self, read};
use nix::fcntl::Flock;
use std::{
    fs::File,
    io,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};
use toml_edit::{DocumentMut, InlineTable, Item, Table, Value};

/// The name of the table.
const ANSWERS: &str = "answers";

/// The lock file, in the same directory.
const LOCK: &str = "lock";

/// An answer to keep.
pub(super) struct NewAnswer<'a> {
    /// The variable.
    pub(super) variable: &'a str,
    /// Its value.
    pub(super) value: &'a str,
    /// The package whose script ran the test.
    pub(super) asker: &'a str,
    /// The date, and what the result depends on.
    pub(super) note: &'a str,
}

/// Adds answers. Each replaces an earlier one for the same variable.
pub(super) fn add(path: &Path, tuple: &str, kept: &[NewAnswer]) -> Result<(), LearnError> {
    let _lock = lock(path)?;
    let mut document = match read(path)? {
        Some(document) => document,
        None => {
            let mut document = DocumentMut::new();
            let head = format!(
                "# What configure scripts found out for {tuple} by running their tests: `crossmerge site-cache learn`.\n\
                 # You may edit or remove a line. Write answers of your own into site-cache/{tuple}.toml.\n\n"
            );
            let mut table = Table::new();
            table.decor_mut().set_prefix(head);
            document.insert(ANSWERS, Item::Table(table));
            document
        }
    };
    let table = answers(path, &mut document)?;
    for one in kept {
        let entries = [
            ("value", one.value),
            ("asker", one.asker),
            ("obtained", "learned"),
            ("note", one.note),
        ];
        // `form.rs` rejects control characters.
        let plain = |text: &str| text.replace(char::is_control, "?");
        let entries = entries.map(|(key, text)| (key, Value::from(plain(text))));
        table.insert(
            one.variable,
            Item::Value(InlineTable::from_iter(entries).into()),
        );
    }
    put(path, &document)
}

/// Removes answers; all if `variables` is empty. Returns the names of the removed ones.
pub(super) fn remove(path: &Path, variables: &[String]) -> Result<Vec<String>, LearnError> {
    // If there is no file, nothing is created, not even a lock.
    let _lock = path.exists().then(|| lock(path)).transpose()?;
    // The file is in the target's state directory, which has the tuple's name.
    let tuple = path.parent().and_then(Path::file_name).unwrap_or_default();
    let not_learned = |variable: &String| LearnError::NotLearned {
        variable: variable.clone(),
        tuple: tuple.display().to_string(),
    };
    let Some(mut document) = read(path)? else {
        return match variables {
            [first, ..] => Err(not_learned(first)),
            [] => Ok(Vec::new()),
        };
    };
    let table = answers(path, &mut document)?;
    let all: Vec<String> = table.iter().map(|(name, _)| name.to_owned()).collect();
    let gone = match variables {
        [] => all,
        _ => match variables.iter().find(|name| !all.contains(name)) {
            Some(unknown) => return Err(not_learned(unknown)),
            None => variables.to_vec(),
        },
    };
    for name in &gone {
        table.remove(name);
    }
    if !gone.is_empty() {
        put(path, &document)?;
    }
    Ok(gone)
}

fn answers<'d>(path: &Path, document: &'d mut DocumentMut) -> Result<&'d mut Table, LearnError> {
    let item = document.entry(ANSWERS).or_insert(Item::Table(Table::new()));
    let not_a_table = || SiteCacheError::Malformed {
        file: path.into(),
        message: "`answers` is not a table".into(),
    };
    Ok(item.as_table_mut().ok_or_else(not_a_table)?)
}

fn read(path: &Path) -> Result<Option<DocumentMut>, LearnError> {
    let text = match read::read_to_string(path, read::CONFIGURATION) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(SiteCacheError::Unreadable)?,
    };
    let document = text.parse::<DocumentMut>();
    let document = document.map_err(|e| SiteCacheError::Malformed {
        file: path.into(),
        message: e.to_string().trim_end().into(),
    })?;
    Ok(Some(document))
}

/// Locks the file, so that no other run changes it between reading and writing.
fn lock(path: &Path) -> Result<Flock<File>, LearnError> {
    let lock = path.with_file_name(LOCK);
    file::take(&lock, path, &mut Vec::new()).map_err(|e| LearnError::Directory(e.into()))
}

fn put(path: &Path, document: &DocumentMut) -> Result<(), LearnError> {
    file::put(path, document.to_string().as_bytes()).map_err(LearnError::Directory)
}

/// Returns the date in UTC, in ISO 8601.
pub(super) fn today() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let days = since.map_or(0, |since| since.as_secs() / 86400);
    let (year, month, day) = date(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Converts days since 1970-01-01 to year, month and day.
fn date(mut days: u64) -> (u64, u64, u64) {
    let is_leap =
        |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let mut year = 1970;
    loop {
        let length = 365 + u64::from(is_leap(year));
        if days < length {
            break;
        }
        days -= length;
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_days_becomes_a_date() {
        for (days, wanted) in [
            (0, (1970, 1, 1)),
            (58, (1970, 2, 28)),
            (59, (1970, 3, 1)),
            (11016, (2000, 2, 29)),
            (19723, (2024, 1, 1)),
            (20088, (2024, 12, 31)),
            (20780, (2026, 11, 23)),
        ] {
            assert_eq!(date(days), wanted, "{days}");
        }
    }

    #[test]
    fn the_users_own_lines_stay() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("learned.toml");
        let kept = |variable, value| NewAnswer {
            variable,
            value,
            asker: "p 1",
            note: "n",
        };
        add(
            &path,
            "avr",
            &[kept("ac_cv_b", "yes"), kept("ac_cv_a", "no")],
        )
        .expect("a file");
        let text = fs_err::read_to_string(&path).expect("it is there")
            + "\n# mine\nx_cv_y = 'z' # this too\n";
        fs_err::write(&path, &text).expect("an edit");
        add(&path, "avr", &[kept("ac_cv_b", "no")]).expect("a file");
        let now = fs_err::read_to_string(&path).expect("it is there");
        assert_eq!(now, text.replacen("value = \"yes\"", "value = \"no\"", 1));
        let gone = remove(&path, &["ac_cv_b".into(), "ac_cv_a".into()]).expect("two less");
        assert_eq!(gone, ["ac_cv_b", "ac_cv_a"]);
        let now = fs_err::read_to_string(&path).expect("it is there");
        assert!(
            now.ends_with("[answers]\n\n# mine\nx_cv_y = 'z' # this too\n"),
            "{now}"
        );
        assert!(remove(&path, &["ac_cv_b".into()]).is_err());
        assert_eq!(remove(&path, &[]).expect("the last"), ["x_cv_y"]);
        assert!(remove(&path, &[]).expect("nothing").is_empty());
    }
}
