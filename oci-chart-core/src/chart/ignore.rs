//! `.helmignore`: which files of a chart's directory stay out of it.

mod glob;

use std::{borrow::Cow, fmt};

use self::glob::Glob;
use super::file::BYTE_ORDER_MARK;
use crate::error::{Error, ErrorKind, Reason};

/// The rules of a `.helmignore` file, as Helm 4.2 reads them. They look like those of `.gitignore` and are not:
///
/// - The first rule that matches decides, and a later one cannot bring a file back.
/// - `!rule` ignores everything that does *not* match `rule`.
/// - `*` and `?` stop at `/`, and `**` is an error.
/// - A rule with a `/` in it matches the whole path from the chart's root, one without matches the last name at any depth, and
///   one that ends in `/` matches directories only. An ignored directory is not entered.
/// - `templates/.?*` is always the last rule.
///
/// # Examples
///
/// ```
/// use oci_chart_core::chart::IgnoreRules;
///
/// let rules = IgnoreRules::parse(b"# editors\n*.swp\n/docs/\n")?;
/// let rule = rules.decide("templates/web.yaml.swp", false).unwrap();
/// assert_eq!((rule.text(), rule.line()), ("*.swp", Some(2)));
/// assert!(rules.decide("docs", true).is_some());
/// assert!(rules.decide("docs", false).is_none());
/// assert!(rules.decide("templates/.hidden", false).unwrap().is_built_in());
/// # Ok::<(), oci_chart_core::chart::ParseIgnoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoreRules(Vec<IgnoreRule>);

impl IgnoreRules {
    /// The name of the file at the top of a chart that holds the rules.
    pub const FILE_NAME: &'static str = ".helmignore";

    /// A line of this many bytes, or more, is an error: Helm's line reader gives up there.
    pub const LINE_BYTES: usize = 64 << 10;

    /// Reads the content of a `.helmignore`. It need not be Unicode.
    ///
    /// # Errors
    ///
    /// [`ParseIgnoreError`], with the line, which becomes [`ErrorKind::InvalidChart`](crate::ErrorKind::InvalidChart).
    pub fn parse(content: &[u8]) -> Result<Self, ParseIgnoreError> {
        let mut rules = Vec::new();
        for (number, line) in (1..).zip(content.split(|byte| *byte == b'\n')) {
            let fail = |problem| ParseIgnoreError { line: number, problem };
            if line.len() >= Self::LINE_BYTES {
                return Err(fail(IgnoreProblem::LineTooLong));
            }
            let line = if number == 1 { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line) } else { line };
            let text = trim(line);
            if text.is_empty() || text.starts_with(b"#") {
                continue;
            }
            if text.windows(2).any(|pair| pair == b"**") {
                return Err(fail(IgnoreProblem::DoubleStar));
            }
            // Helm tries each rule on this name, and so finds only what is broken as far as the name matches.
            if Glob::new(text).matches(b"abc").is_err() {
                return Err(fail(IgnoreProblem::BadPattern));
            }
            rules.push(IgnoreRule::new(text, Some(number)));
        }
        rules.push(IgnoreRule::new(b"templates/.?*", None));
        Ok(Self(rules))
    }

    /// The rule that keeps `path` out of the chart, if there is one. The directories above it are not asked: a caller that walks
    /// does not enter an ignored directory in the first place.
    pub fn decide(&self, path: &str, is_directory: bool) -> Option<&IgnoreRule> {
        self.decide_bytes(path.as_bytes(), is_directory)
    }

    /// The same for a path that need not be Unicode.
    pub(super) fn decide_bytes(&self, path: &[u8], is_directory: bool) -> Option<&IgnoreRule> {
        // The chart's own directory cannot be ignored.
        if matches!(path, b"" | b"." | b"./") {
            return None;
        }
        self.0.iter().find(|rule| rule.ignores(path, is_directory))
    }
}

impl Default for IgnoreRules {
    /// The rules of a chart without a `.helmignore`.
    fn default() -> Self {
        Self(vec![IgnoreRule::new(b"templates/.?*", None)])
    }
}

/// One line of a `.helmignore`, or the rule that is built in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoreRule {
    text: String,
    line: Option<u32>,
    negated: bool,
    directories_only: bool,
    whole_path: bool,
    /// Where a broken part of it is reached after all, it does not match.
    glob: Glob,
}

impl IgnoreRule {
    /// The rule as it is written, without the blanks around it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its line in the file, from 1; none for the built-in rule.
    pub fn line(&self) -> Option<u32> {
        self.line
    }

    /// Whether this is the rule `templates/.?*` that every chart has.
    pub fn is_built_in(&self) -> bool {
        self.line.is_none()
    }

    fn new(text: &[u8], line: Option<u32>) -> Self {
        let negated = text.starts_with(b"!");
        let pattern = text.strip_prefix(b"!").unwrap_or(text);
        let directories_only = pattern.ends_with(b"/");
        let pattern = pattern.strip_suffix(b"/").unwrap_or(pattern);
        let whole_path = pattern.contains(&b'/');
        let pattern = pattern.strip_prefix(b"/").unwrap_or(pattern);
        Self {
            text: String::from_utf8_lossy(text).into_owned(),
            line,
            negated,
            directories_only,
            whole_path,
            glob: Glob::new(pattern),
        }
    }

    fn ignores(&self, path: &[u8], is_directory: bool) -> bool {
        if self.directories_only && !is_directory {
            return self.negated;
        }
        let name =
            if self.whole_path { path } else { path.rsplit(|byte| *byte == b'/').next().unwrap_or(path) };
        self.glob.matches(name).unwrap_or(false) != self.negated
    }
}

impl fmt::Display for IgnoreRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{} (line {line} of .helmignore)", self.text),
            None => write!(f, "{} (built in)", self.text),
        }
    }
}

/// Why a `.helmignore` cannot be read, and in which line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseIgnoreError {
    /// The line, from 1.
    pub line: u32,
    /// What is wrong with it.
    pub problem: IgnoreProblem,
}

/// What is wrong with a line of a `.helmignore`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IgnoreProblem {
    /// It has [`IgnoreRules::LINE_BYTES`] bytes or more.
    LineTooLong,
    /// It uses `**`.
    DoubleStar,
    /// A `[` without its `]`, an empty class or range, or a `\` at the end.
    BadPattern,
}

impl fmt::Display for IgnoreProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LineTooLong => "the line is 64 KiB long or longer (token too long)",
            Self::DoubleStar => "double-star (**) syntax is not supported",
            Self::BadPattern => "syntax error in pattern",
        })
    }
}

impl fmt::Display for ParseIgnoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of .helmignore: {}", self.line, self.problem)
    }
}

impl std::error::Error for ParseIgnoreError {}

impl From<ParseIgnoreError> for Error {
    fn from(error: ParseIgnoreError) -> Self {
        let hint: Cow<'static, str> = match error.problem {
            IgnoreProblem::LineTooLong => "break the line up into several rules".into(),
            IgnoreProblem::DoubleStar => "a rule without a slash already matches at any depth".into(),
            IgnoreProblem::BadPattern => "write a literal [ or \\ with a backslash before it".into(),
        };
        Self::new(ErrorKind::InvalidChart, error.problem.to_string())
            .with_reason(Reason::IgnorePattern)
            .with_context("file", IgnoreRules::FILE_NAME)
            .with_context("line", error.line)
            .with_source(error)
            .with_hint(hint)
    }
}

/// Takes Unicode white space off both ends; bytes that are no UTF-8 are no white space.
fn trim(mut line: &[u8]) -> &[u8] {
    if let Some(first) = line.utf8_chunks().next() {
        line = &line[first.valid().len() - first.valid().trim_start().len()..];
    }
    if let Some(last) = line.utf8_chunks().last()
        && last.invalid().is_empty()
    {
        line = &line[..line.len() - (last.valid().len() - last.valid().trim_end().len())];
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &[u8]) -> Result<IgnoreRules, ParseIgnoreError> {
        IgnoreRules::parse(text)
    }

    #[test]
    fn an_error_names_its_line() {
        for (text, line, problem) in [
            (&b"a\n\n# [\n[\n"[..], 4, IgnoreProblem::BadPattern),
            (b"a/**/b", 1, IgnoreProblem::DoubleStar),
            (b"a\r\nb\\ \r\n", 2, IgnoreProblem::BadPattern),
        ] {
            assert_eq!(parse(text), Err(ParseIgnoreError { line, problem }));
        }
        let error = Error::from(parse(b"\n**").unwrap_err());
        assert_eq!((error.kind(), error.reason()), (ErrorKind::InvalidChart, Some(Reason::IgnorePattern)));
        assert_eq!(error.get("line"), Some("2"));
    }

    #[test]
    fn the_longest_line() {
        let mut text = vec![b'#'; IgnoreRules::LINE_BYTES - 1];
        text.extend(b"\n*.md");
        assert!(parse(&text).unwrap().decide("a.md", false).is_some());
        text.insert(0, b'#');
        assert_eq!(parse(&text).unwrap_err().problem, IgnoreProblem::LineTooLong);
    }

    #[test]
    fn white_space_of_every_kind_goes() {
        let text = "\u{feff}\u{2003}*.md\u{a0}\r\n\t*.txt\u{b}";
        let rules = parse(text.as_bytes()).unwrap();
        assert_eq!(rules.decide("a.md", false).map(IgnoreRule::text), Some("*.md"));
        assert_eq!(rules.decide("a.txt", false).map(IgnoreRule::text), Some("*.txt"));
        // A byte that is no text is part of the rule.
        let rules = parse(b" \xffa\xa0 ").unwrap();
        assert!(rules.decide_bytes(b"\xffa\xa0", false).is_some());
    }

    #[test]
    fn a_rule_that_breaks_with_its_slash_matches_nothing() {
        let rules = parse(b"a\\/").unwrap();
        assert!(rules.decide("a", true).is_none());
        assert!(parse(b"!a\\/").unwrap().decide("a", true).is_some());
    }

    #[test]
    fn the_deciding_rule_is_told() {
        let rules = parse(b"# x\n*.md\nREADME.md\n").unwrap();
        assert_eq!(rules.decide("README.md", false).unwrap().to_string(), "*.md (line 2 of .helmignore)");
        let built_in = rules.decide("templates/.swp", false).unwrap();
        assert_eq!(built_in.to_string(), "templates/.?* (built in)");
        assert!(rules.decide("", true).is_none());
    }
}
