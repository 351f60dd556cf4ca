/// Nesting that Go's `encoding/json` takes.
const DEPTH: usize = 10_000;

/// Whether Go's `json.Valid` says yes: one JSON value, strings of any bytes but control characters, at most 10,000 levels deep.
pub(crate) fn is_valid(text: &[u8]) -> bool {
    let mut scan = Scan { text, at: 0 };
    let mut open: Vec<Open> = Vec::new();
    loop {
        // A value is due.
        scan.blanks();
        match scan.peek() {
            Some(start @ (b'{' | b'[')) => {
                scan.at += 1;
                if open.len() == DEPTH {
                    return false;
                }
                scan.blanks();
                let end = if start == b'{' { b'}' } else { b']' };
                if !scan.take(end) {
                    open.push(if start == b'{' { Open::Object } else { Open::Array });
                    if start == b'{' && !scan.key() {
                        return false;
                    }
                    continue;
                }
            }
            _ if scan.scalar() => {}
            _ => return false,
        }
        // A value is done: what follows closes what is open, or another value is due.
        loop {
            scan.blanks();
            let Some(inside) = open.last() else { return scan.at == text.len() };
            if scan.take(b',') {
                if matches!(inside, Open::Object) && !scan.key() {
                    return false;
                }
                break;
            }
            if !scan.take(if matches!(inside, Open::Object) { b'}' } else { b']' }) {
                return false;
            }
            open.pop();
        }
    }
}

enum Open {
    Object,
    Array,
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn key(&mut self) -> bool {
        self.blanks();
        let string = self.string();
        self.blanks();
        string && self.take(b':')
    }

    fn scalar(&mut self) -> bool {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => ["true", "false", "null"].iter().any(|word| self.word(word)),
        }
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes()));
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn string(&mut self) -> bool {
        if !self.take(b'"') {
            return false;
        }
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'"' => return true,
                0..=0x1f => return false,
                b'\\' => {
                    let escape = self.peek();
                    self.at += 1;
                    match escape {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {}
                        Some(b'u') => {
                            let digits = self.text.get(self.at..self.at + 4);
                            if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                                return false;
                            }
                            self.at += 4;
                        }
                        _ => return false,
                    }
                }
                _ => {}
            }
        }
        false
    }

    fn number(&mut self) -> bool {
        self.take(b'-');
        if !self.take(b'0') && !self.digits() {
            return false;
        }
        if self.take(b'.') && !self.digits() {
            return false;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            return self.digits();
        }
        true
    }

    fn digits(&mut self) -> bool {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at > start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_told_from_what_is_not() {
        for text in [
            "{}",
            " [] ",
            "0",
            "-1.5e+10",
            "\"\\u00e9\\n\"",
            "{\"a\":[1,{\"b\":null}],\"c\":true}",
            "[[],[[]]]",
            "null",
        ] {
            assert!(is_valid(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "tru",
            "nulll",
            "[] []",
            "\"\n\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "// c\n{}",
            "{\"a\" 1}",
            "[1 2]",
            "]",
            "{]",
            "[}",
            "{\"a\":}",
            "\"",
            "-",
            "{,}",
            "[,]",
            "\u{feff}{}",
        ] {
            assert!(!is_valid(text.as_bytes()), "{text}");
        }
        assert!(is_valid(b"\"\xff\""), "Go looks at no UTF-8 here");
        assert!(is_valid(&[vec![b'['; DEPTH], vec![b']'; DEPTH]].concat()));
        assert!(!is_valid(&[vec![b'['; DEPTH + 1], vec![b']'; DEPTH + 1]].concat()));
    }

    #[test]
    fn agrees_with_another_parser_on_shallow_texts() {
        let pieces = ["{", "}", "[", "]", ",", ":", "\"a\"", "1", "-", ".5", "e1", "true", "null", " ", "0"];
        let mut state = 1u64;
        for _ in 0..200_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let mut rest = state >> 24;
            let mut text = String::new();
            for _ in 0..(state >> 60) {
                text.push_str(pieces[rest as usize % pieces.len()]);
                rest /= 7;
            }
            let other = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            assert_eq!(is_valid(text.as_bytes()), other, "{text}");
        }
    }
}
