//! The files of AWS's tools ("Configuration and credential file settings", AWS CLI User Guide).

/// One setting of one section, with the last value where there are several. Settings of settings (indented lines) are passed over.
pub(super) fn get<'a>(text: &'a str, section: &str, name: &str) -> Option<&'a str> {
    settings(text, section)?.filter(|(own, _)| own.eq_ignore_ascii_case(name)).last().map(|(_, value)| value)
}

/// Whether the section is there.
pub(super) fn has(text: &str, section: &str) -> bool {
    text.lines().any(|line| header(line) == Some(section))
}

fn settings<'a>(text: &'a str, section: &str) -> Option<impl Iterator<Item = (&'a str, &'a str)>> {
    has(text, section).then_some(())?;
    let section = section.to_owned();
    let mut inside = false;
    Some(text.lines().filter_map(move |line| {
        if let Some(name) = header(line) {
            inside = name == section;
            return None;
        }
        let usable = inside && !line.starts_with([' ', '\t', '#', ';']);
        let (name, value) = line.split_once('=').filter(|_| usable)?;
        // A comment begins behind a blank: secrets may have `#` in them.
        let value = [" #", " ;", "\t#", "\t;"]
            .iter()
            .filter_map(|mark| value.split_once(mark))
            .fold(value, |short, (before, _)| if before.len() < short.len() { before } else { short });
        Some((name.trim(), value.trim()))
    }))
}

fn header(line: &str) -> Option<&str> {
    let (name, _) = line.strip_prefix('[')?.split_once(']')?;
    Some(name.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# keys\n[default]\naws_access_key_id = one\n  nested = no\n\n[ team ] ; ours\nAWS_ACCESS_KEY_ID=two # old\n\
        aws_secret_access_key = a#b=c;d\naws_access_key_id = three\n;aws_session_token = no\nlone\n[profile x]\nrole_arn=\n[broken\nz=1\n";

    #[test]
    fn settings_of_a_section() {
        for (section, name, expected) in [
            ("default", "aws_access_key_id", Some("one")),
            ("default", "nested", None),
            ("team", "aws_access_key_id", Some("three")),
            ("team", "aws_secret_access_key", Some("a#b=c;d")),
            ("team", "aws_session_token", None),
            ("team", "lone", None),
            ("profile x", "role_arn", Some("")),
            ("profile x", "z", Some("1")),
            ("missing", "aws_access_key_id", None),
        ] {
            assert_eq!(get(FILE, section, name), expected, "{section} {name}");
        }
        assert!(has(FILE, "team") && !has(FILE, "broken") && !has("", ""));
        assert_eq!(get("[a]\r\nb = c \r\n", "a", "b"), Some("c"));
    }
}
