//! Formats answers for output.

use crate::site_cache::data::{About, Answer, Answers, Obtained, Origin};

/// Returns the value.
pub(super) fn value(answer: &Answer) -> &str {
    answer.value.as_deref().map_or("-", shown)
}

/// Returns a value in visible form.
pub(super) fn shown(value: &str) -> &str {
    if value.is_empty() { "''" } else { value }
}

/// Returns how an answer was confirmed.
pub(super) fn confirmation(answer: &Answer) -> String {
    let mut text = match (&answer.origin, &answer.probe, answer.obtained) {
        (Origin::User(_), None, _) => "yours".into(),
        (_, _, Some(Obtained::Learned)) | (Origin::Learned(_), ..) => "learned".into(),
        (_, Some(probe), _) => format!("probe {probe}"),
        (Origin::BuiltIn, None, _) => "unverified".to_owned(),
    };
    match answer.about {
        Some(About::Kernel) => text += ", about the kernel",
        Some(About::Filesystem) => text += ", about the file system",
        None => {}
    }
    if answer.is_conditional() {
        text += ", depends on the script";
    }
    text
}

pub(super) fn to_json(answer: &Answer, answers: &Answers) -> serde_json::Value {
    let origin = match &answer.origin {
        Origin::BuiltIn => None,
        Origin::User(file) | Origin::Learned(file) => Some(file.to_string_lossy()),
    };
    let about = answer.about.map(|about| match about {
        About::Kernel => "kernel",
        About::Filesystem => "filesystem",
    });
    let obtained = answer.obtained.map(|obtained| match obtained {
        Obtained::Probe => "probe",
        Obtained::Read => "read",
        Obtained::Learned => "learned",
    });
    let others: Vec<_> = answer
        .others
        .iter()
        .map(|other| serde_json::json!({ "text": other.text, "value": other.value, "asked": other.asked }))
        .collect();
    serde_json::json!({
        "name": answer.name,
        "value": answer.value,
        "layer": answer.layer,
        "asker": answer.asker,
        "obtained": obtained,
        "probe": answer.probe,
        "note": answer.note,
        "asked": answer.asked,
        "needs": answer.needs,
        "others": others,
        "about": about,
        "file": origin,
        "verified": answer.is_verified(),
        "given": answers.is_given(answer),
    })
}
