//! The table of errors in the docs is the one in the code.

use std::fmt::Write as _;

use oci_chart_core::{ErrorKind, Reason};

const PLACE: &str = "src/error/table.md";

#[test]
fn the_table_in_the_docs_is_the_one_in_the_code() {
    let place = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(PLACE);
    let wanted = table();
    if std::env::var_os("BLESS").is_some() {
        fs_err::write(&place, &wanted).unwrap();
    }
    let found = fs_err::read_to_string(&place).unwrap_or_default();
    let line = found.lines().zip(wanted.lines()).find(|(found, wanted)| found != wanted);
    assert!(
        found == wanted,
        "{PLACE} is not what the code says, from {line:?} on; run this test once with BLESS=1"
    );
}

#[test]
fn every_entry_says_something_of_its_own() {
    let mut meanings: Vec<_> = ErrorKind::ALL.iter().map(|kind| kind.meaning()).collect();
    meanings.extend(Reason::ALL.iter().map(|reason| reason.meaning()));
    assert!(meanings.iter().all(|meaning| meaning.len() > 10 && meaning.ends_with('.')), "{meanings:#?}");
    let all = meanings.len();
    meanings.sort_unstable();
    meanings.dedup();
    assert_eq!(meanings.len(), all, "two entries say the same");
}

fn table() -> String {
    let mut text = String::from(
        "# Kinds\n\nNumbers and names are the same in every language, and never change.\n\n| number | kind | what happened | what to do |\n| --- | --- | --- | --- |\n",
    );
    for kind in ErrorKind::ALL {
        let hint = kind.hint().unwrap_or("nothing: it was wanted");
        writeln!(text, "| {} | `{}` | {} | {hint} |", kind.code(), kind.name(), plain(kind.meaning()))
            .unwrap();
    }
    text.push_str(
        "\n# Reasons\n\nOne stable word per cause, below the kind, where a caller may want to act on it.\n\n| reason | cause |\n| --- | --- |\n",
    );
    for reason in Reason::ALL {
        writeln!(text, "| `{}` | {} |", reason.as_str(), plain(reason.meaning())).unwrap();
    }
    text
}

/// Without the links of the source.
fn plain(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](") {
        let (kept, name) = before.rsplit_once('[').unwrap_or((before, ""));
        shown.push_str(kept);
        shown.push_str(name);
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    (shown + rest).replace('|', "\\|")
}
