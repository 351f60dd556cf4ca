//! Shell patterns as Go's `filepath.Match` reads them (Go 1.26), which is what Helm hands each rule to.

/// A compiled pattern. `*` and `?` never match `/`; a character class may, as in Go. `\` escapes on every system, so that one
/// tree gives one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob(Vec<Token>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// Exactly this byte.
    Byte(u8),
    /// `?`: one character.
    Any,
    /// `*`: any number of bytes.
    Star,
    /// `[a-c]` or `[^a-c]`: one character by its code.
    Class { negated: bool, ranges: Vec<(u32, u32)> },
}

/// The pattern cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadPattern;

impl Glob {
    pub(super) fn new(pattern: &[u8]) -> Result<Self, BadPattern> {
        let mut tokens = Vec::new();
        let mut rest = pattern;
        while let Some((&byte, tail)) = rest.split_first() {
            rest = tail;
            tokens.push(match byte {
                b'*' => Token::Star,
                b'?' => Token::Any,
                b'[' => class(&mut rest)?,
                b'\\' => {
                    let (&escaped, tail) = rest.split_first().ok_or(BadPattern)?;
                    rest = tail;
                    Token::Byte(escaped)
                }
                _ => Token::Byte(byte),
            });
        }
        Ok(Self(tokens))
    }

    /// Whether the whole of `name` matches. Only the last star is ever tried again, one byte further each time, so the work is
    /// bounded by the product of both lengths. Go does the same, and finds no match where only an earlier star could help.
    pub(super) fn matches(&self, name: &[u8]) -> bool {
        let (mut token, mut at) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        loop {
            match self.0.get(token) {
                Some(Token::Star) => {
                    token += 1;
                    star = Some((token, at));
                    continue;
                }
                Some(one) => {
                    if let Some(width) = one.width_in(&name[at..]) {
                        token += 1;
                        at += width;
                        continue;
                    }
                }
                None if at == name.len() => return true,
                None => {}
            }
            match star {
                Some((after, begin)) if name.get(begin).is_some_and(|byte| *byte != b'/') => {
                    star = Some((after, begin + 1));
                    (token, at) = (after, begin + 1);
                }
                _ => return false,
            }
        }
    }
}

impl Token {
    /// How many bytes at the start of `name` this token takes, if it matches there.
    fn width_in(&self, name: &[u8]) -> Option<usize> {
        let first = *name.first()?;
        match self {
            Self::Byte(byte) => (first == *byte).then_some(1),
            Self::Any => (first != b'/').then(|| character(name).1),
            Self::Class { negated, ranges } => {
                let (code, width) = character(name);
                let inside = ranges.iter().any(|(low, high)| (*low..=*high).contains(&code));
                (inside != *negated).then_some(width)
            }
            Self::Star => None,
        }
    }
}

/// Reads a class up to its `]`; the `[` is gone already.
fn class(rest: &mut &[u8]) -> Result<Token, BadPattern> {
    let negated = rest.first() == Some(&b'^');
    if negated {
        *rest = &rest[1..];
    }
    let mut ranges = Vec::new();
    loop {
        if let Some((b']', tail)) = rest.split_first()
            && !ranges.is_empty()
        {
            *rest = tail;
            return Ok(Token::Class { negated, ranges });
        }
        let low = member(rest)?;
        let high = match rest.split_first() {
            Some((b'-', tail)) => {
                *rest = tail;
                member(rest)?
            }
            _ => low,
        };
        ranges.push((low, high));
    }
}

/// One end of a range. Something must follow it, since the class is still open.
fn member(rest: &mut &[u8]) -> Result<u32, BadPattern> {
    match rest.first() {
        None | Some(b'-' | b']') => return Err(BadPattern),
        Some(b'\\') => *rest = &rest[1..],
        Some(_) => {}
    }
    let (code, width) = character(rest);
    if width == 0 || (code == INVALID && width == 1) || width == rest.len() {
        return Err(BadPattern);
    }
    *rest = &rest[width..];
    Ok(code)
}

/// What Go calls `RuneError`.
const INVALID: u32 = 0xfffd;

/// The character at the start of `bytes` and its length; a byte that is no UTF-8 counts as U+FFFD.
fn character(bytes: &[u8]) -> (u32, usize) {
    let head = &bytes[..bytes.len().min(4)];
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default(),
    };
    match valid.chars().next() {
        Some(first) => (first as u32, first.len_utf8()),
        None => (INVALID, head.len().min(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        Glob::new(pattern.as_bytes()).unwrap().matches(name.as_bytes())
    }

    #[test]
    fn go_s_own_table() {
        // The rows of Go's documentation and the traps around them.
        for (pattern, name, expected) in [
            ("abc", "abc", true),
            ("*", "abc", true),
            ("*c", "abc", true),
            ("a*", "a", true),
            ("a*", "ab/c", false),
            ("a*/b", "abc/b", true),
            ("a*/b", "a/c/b", false),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/f", true),
            ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false),
            ("a*b?c*x", "abxbbxdbxebxczzx", true),
            ("a*b?c*x", "abxbbxdbxebxczzy", false),
            ("ab[c]", "abc", true),
            ("ab[b-d]", "abc", true),
            ("ab[^e-g]", "abc", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "ab", false),
            ("a?b", "a☺b", true),
            ("a[^a]b", "a☺b", true),
            ("a???b", "a☺b", false),
            ("[a-ζ]*", "α", true),
            ("*[a-ζ]", "A", false),
            ("a?b", "a/b", false),
            ("a*b", "a/b", false),
            ("[\\]a]", "]", true),
            ("[\\-x]", "-", true),
            ("[x\\-]", "z", false),
            ("*x", "xxx", true),
            // A class takes the slash, and only the last star is tried again.
            ("a[^x]b", "a/b", true),
            ("*[^x]*c", "a/bc", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} on {name}");
        }
    }

    #[test]
    fn bad_patterns() {
        for pattern in
            ["[]a]", "[-]", "[x-]", "[-x]", "[", "[^", "[^bc", "a[", "a\\", "[a-", "[a-b-c]", "[\\", "*["]
        {
            assert_eq!(Glob::new(pattern.as_bytes()), Err(BadPattern), "{pattern}");
        }
        assert_eq!(Glob::new(b"[\xff]"), Err(BadPattern));
    }

    #[test]
    fn bytes_that_are_no_text() {
        let any = Glob::new(b"a?b").unwrap();
        assert!(any.matches(b"a\xffb"));
        assert!(!any.matches(b"a\xff\xffb"));
        assert!(Glob::new(b"\xff*").unwrap().matches(b"\xff\xfe"));
    }

    #[test]
    fn many_stars_stay_cheap() {
        let pattern = "a*".repeat(5000);
        let name = "a".repeat(20_000);
        assert!(!matches(&format!("{pattern}b"), &name));
    }
}
