use crate::trust::{Pattern, PatternError};

/// Why a regular expression is no [`Pattern`].
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ExpressionError {
    /// It need not fit the whole text.
    Open,
    /// It has something that a pattern has not.
    Part(char),
    /// What it would be as a pattern is none.
    Pattern(PatternError),
}

/// The pattern that a regular expression of Go comes to, between `^` and `$`. It fits nothing that the expression does not fit, but that a run which the
/// expression wants to have one letter or more may be empty: a dot is a dot, `[^/]*` is `*`, and `.*` behind a `/` or `@` is `**`.
pub(super) fn pattern(expression: &str) -> Result<Pattern, ExpressionError> {
    let inner = expression.strip_prefix('^').and_then(|rest| rest.strip_suffix('$'));
    // A `$` behind a backslash ends nothing.
    let inner = inner.filter(|inner| backslashes_at_end(inner).is_multiple_of(2));
    let mut rest = inner.ok_or(ExpressionError::Open)?;
    let (mut text, mut has_stars, mut is_open) = (String::new(), false, false);
    while let Some(letter) = rest.chars().next() {
        let behind = rest.get(letter.len_utf8()..).unwrap_or_default();
        let run = |class: &str| rest.strip_prefix(class).and_then(|rest| rest.strip_prefix(['*', '+']));
        if let Some(next) = run(".") {
            text.push_str("**");
            (is_open, rest) = (true, next);
        } else if let Some(next) = run("[^/]") {
            text.push('*');
            (is_open, rest) = (true, next);
        } else if letter == '\\' {
            let Some(escaped) = behind.chars().next().filter(char::is_ascii_punctuation) else {
                return Err(ExpressionError::Part(letter));
            };
            has_stars |= escaped == '*';
            text.push(escaped);
            rest = behind.get(1..).unwrap_or_default();
        } else if "[](){}|?*+^$".contains(letter) {
            return Err(ExpressionError::Part(letter));
        } else {
            text.push(letter);
            rest = behind;
        }
    }
    match (is_open, has_stars) {
        (false, _) => Pattern::exact(text).map_err(ExpressionError::Pattern),
        (true, false) => text.parse().map_err(ExpressionError::Pattern),
        (true, true) => Err(ExpressionError::Part('*')),
    }
}

fn backslashes_at_end(text: &str) -> usize {
    text.bytes().rev().take_while(|byte| *byte == b'\\').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pattern_can_say_is_said() {
        for (expression, wanted) in [
            (r"^https://token.actions.githubusercontent.com$", "https://token.actions.githubusercontent.com"),
            (
                r"^https://github\.com/o/r/\.github/workflows/a\.yml@refs/heads/main$",
                "https://github.com/o/r/.github/workflows/a.yml@refs/heads/main",
            ),
            (
                r"^https://github.com/o/[^/]+/.github/workflows/a.yml@refs/tags/.*$",
                "https://github.com/o/*/.github/workflows/a.yml@refs/tags/**",
            ),
            (r"^[^/]*@example\.com$", "*@example.com"),
            (r"^https://h/.+$", "https://h/**"),
        ] {
            assert_eq!(pattern(expression), Ok(wanted.parse().unwrap()), "{expression}");
        }
        let stars = pattern(r"^https://h/a\*b\$$").unwrap();
        assert_eq!(stars.as_exact(), Some("https://h/a*b$"));
    }

    #[test]
    fn everything_else_is_refused() {
        use ExpressionError::{Open, Part};
        for (expression, why) in [
            ("https://h/r", Open),
            ("^https://h/r", Open),
            ("https://h/r$", Open),
            (r"^https://h/r\$", Open),
            ("", Open),
            ("^(?i)a$", Part('(')),
            ("^a|b$", Part('|')),
            ("^ab?$", Part('?')),
            ("^ab*$", Part('*')),
            ("^a.?$", Part('?')),
            ("^a{2}$", Part('{')),
            (r"^\d$", Part('\\')),
            ("^[a-z]$", Part('[')),
            ("^[^/]$", Part('[')),
            ("^a$b$", Part('$')),
            (r"^https://h/\*/.*$", Part('*')),
            ("^https://github.com/o/r.*$", ExpressionError::Pattern(PatternError::OpenEnd)),
            ("^https://.*$", ExpressionError::Pattern(PatternError::OpenHost)),
            ("^.*$", ExpressionError::Pattern(PatternError::OpenEnd)),
            ("^$", ExpressionError::Pattern(PatternError::Empty)),
        ] {
            assert_eq!(pattern(expression), Err(why), "{expression}");
        }
    }
}
