//! Shell patterns as Go's `filepath.Match` reads them (Go 1.26), which is what Helm hands each rule to.

/// A compiled pattern. `*` and `?` never match `/`; a character class may, as in Go. `\` escapes on every system, so that one
/// tree gives one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob(Vec<Part>);

/// What stands between two stars.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    /// A star stands before it: any number of bytes.
    star: bool,
    /// Go reads a part only when it comes to it, so a broken one spoils nothing before.
    tokens: Result<Vec<Token>, BadPattern>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// Exactly this byte.
    Byte(u8),
    /// `?`: one character.
    Any,
    /// `[a-c]` or `[^a-c]`: one character by its code.
    Class { negated: bool, ranges: Vec<(u32, u32)> },
}

/// The pattern cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadPattern;

impl Glob {
    pub(super) fn new(pattern: &[u8]) -> Self {
        let mut parts = Vec::new();
        let mut rest = pattern;
        while !rest.is_empty() {
            let stars = rest.iter().take_while(|byte| **byte == b'*').count();
            rest = &rest[stars..];
            let (part, tail) = rest.split_at(part_length(rest));
            rest = tail;
            parts.push(Part { star: stars > 0, tokens: tokens(part) });
        }
        Self(parts)
    }

    /// Whether the whole of `name` matches; an error where a broken part had to be looked at. Only the last star is ever tried
    /// again, one byte further each time, so the work is bounded by the product of both lengths. Go does the same, and finds no
    /// match where only an earlier star could help.
    pub(super) fn matches(&self, name: &[u8]) -> Result<bool, BadPattern> {
        let mut rest = name;
        for (index, part) in self.0.iter().enumerate() {
            let tokens = part.tokens.as_ref().map_err(|error| *error)?;
            let last = index + 1 == self.0.len();
            if part.star && tokens.is_empty() {
                return Ok(!rest.contains(&b'/'));
            }
            let within =
                if part.star { rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len()) } else { 0 };
            let found = (0..=within).find_map(|begin| {
                let tail = prefix(tokens, &rest[begin..])?;
                (!last || tail.is_empty()).then_some(tail)
            });
            match found {
                Some(tail) => rest = tail,
                None => return Ok(false),
            }
        }
        Ok(rest.is_empty())
    }
}

/// Where the next star stands that is not inside brackets.
fn part_length(pattern: &[u8]) -> usize {
    let mut in_brackets = false;
    let mut at = 0;
    while let Some(byte) = pattern.get(at) {
        match byte {
            b'\\' => at += 1,
            b'[' => in_brackets = true,
            b']' => in_brackets = false,
            b'*' if !in_brackets => return at,
            _ => {}
        }
        at += 1;
    }
    pattern.len()
}

fn tokens(part: &[u8]) -> Result<Vec<Token>, BadPattern> {
    let mut tokens = Vec::new();
    let mut rest = part;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        tokens.push(match byte {
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
    Ok(tokens)
}

/// What follows in `name` after all tokens matched at its start.
fn prefix<'a>(tokens: &[Token], name: &'a [u8]) -> Option<&'a [u8]> {
    tokens.iter().try_fold(name, |rest, token| token.width_in(rest).map(|width| &rest[width..]))
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
        Glob::new(pattern.as_bytes()).matches(name.as_bytes()).unwrap()
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
            assert_eq!(Glob::new(pattern.as_bytes()).matches(b"a"), Err(BadPattern), "{pattern}");
        }
        assert_eq!(Glob::new(b"[\xff]").matches(b"a"), Err(BadPattern));
    }

    #[test]
    fn a_broken_part_counts_when_it_is_reached() {
        let late = Glob::new(b"a*[");
        assert_eq!(late.matches(b"b"), Ok(false));
        assert_eq!(late.matches(b"ab"), Err(BadPattern));
    }

    #[test]
    fn bytes_that_are_no_text() {
        let any = Glob::new(b"a?b");
        assert_eq!(any.matches(b"a\xffb"), Ok(true));
        assert_eq!(any.matches(b"a\xff\xffb"), Ok(false));
        assert_eq!(Glob::new(b"\xff*").matches(b"\xff\xfe"), Ok(true));
    }

    #[test]
    fn many_stars_stay_cheap() {
        let pattern = "a*".repeat(5000);
        let name = "a".repeat(20_000);
        assert!(!matches(&format!("{pattern}b"), &name));
    }
}
