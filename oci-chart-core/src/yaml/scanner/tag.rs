//! Directives, tags, anchors and aliases.

use super::{Scan, Scanner};
use crate::yaml::{
    document::Span,
    token::{Payload, TagText, Token, TokenKind},
};

impl Scanner<'_> {
    pub(super) fn fetch_directive(&mut self) -> Scan<()> {
        self.unroll(-1);
        self.remove_key()?;
        self.key_allowed = false;
        let mark = self.mark();
        self.at += 1;
        self.need(1)?;
        let name = self.scan_words()?;
        if name.is_empty() {
            return Err(self.fault("could not find expected directive name"));
        }
        if !self.is_blank_or_end(0) {
            return Err(self.fault("found unexpected non-alphabetical character"));
        }
        let token = match self.span_text(name) {
            "YAML" => {
                let payload = self.scan_version()?;
                Token { payload, ..Token::new(TokenKind::VersionDirective, mark) }
            }
            "TAG" => {
                let payload = self.scan_tag_directive()?;
                Token { payload, ..Token::new(TokenKind::TagDirective, mark) }
            }
            _ => return Err(self.fault("found unknown directive name")),
        };
        self.end_line()?;
        self.push(token);
        Ok(())
    }

    fn scan_version(&mut self) -> Scan<Payload> {
        self.need(1)?;
        self.skip_blanks()?;
        let major = self.scan_version_number()?;
        if self.byte(0) != b'.' {
            return Err(self.fault("did not find expected digit or '.' character"));
        }
        self.at += 1;
        let minor = self.scan_version_number()?;
        Ok(Payload::Version(major, minor))
    }

    fn scan_version_number(&mut self) -> Scan<u8> {
        self.need(1)?;
        let mut value = 0;
        let mut digits = 0;
        while self.byte(0).is_ascii_digit() {
            digits += 1;
            if digits > 2 {
                return Err(self.fault("found extremely long version number"));
            }
            value = value * 10 + (self.byte(0) - b'0');
            self.at += 1;
            self.need(1)?;
        }
        if digits == 0 {
            return Err(self.fault("did not find expected version number"));
        }
        Ok(value)
    }

    fn scan_tag_directive(&mut self) -> Scan<Payload> {
        self.need(1)?;
        self.skip_blanks()?;
        let handle = self.scan_tag_handle(true)?;
        self.need(1)?;
        if !self.is_blank(0) {
            return Err(self.fault("did not find expected whitespace"));
        }
        self.skip_blanks()?;
        let rest = self.scan_tag_uri(&[])?;
        self.need(1)?;
        if !self.is_blank_or_end(0) {
            return Err(self.fault("did not find expected whitespace or line break"));
        }
        Ok(self.keep_tag(TagText { handle, rest }))
    }

    pub(super) fn fetch_anchor(&mut self, kind: TokenKind) -> Scan<()> {
        self.save_key()?;
        self.key_allowed = false;
        let mark = self.mark();
        self.at += 1;
        self.need(1)?;
        let name = self.scan_words()?;
        let ends = matches!(self.byte(0), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if name.is_empty() || !(ends || self.is_blank_or_end(0)) {
            return Err(self.fault("did not find expected alphabetic or numeric character"));
        }
        self.push_text(kind, false, mark, name);
        Ok(())
    }

    pub(super) fn fetch_tag(&mut self) -> Scan<()> {
        self.save_key()?;
        self.key_allowed = false;
        let mark = self.mark();
        self.need(2)?;
        let tag = if self.byte(1) == b'<' {
            self.at += 2;
            let rest = self.scan_tag_uri(&[])?;
            if self.byte(0) != b'>' {
                return Err(self.fault("did not find the expected '>'"));
            }
            self.at += 1;
            TagText { handle: Vec::new(), rest }
        } else {
            self.scan_short_tag()?
        };
        self.need(1)?;
        if !self.is_blank_or_end(0) {
            return Err(self.fault("did not find expected whitespace or line break"));
        }
        let payload = self.keep_tag(tag);
        self.push(Token { payload, ..Token::new(TokenKind::Tag, mark) });
        Ok(())
    }

    /// `!handle!suffix`, `!suffix`, or `!` alone, which has no handle.
    fn scan_short_tag(&mut self) -> Scan<TagText> {
        let handle = self.scan_tag_handle(false)?;
        if handle.len() > 1 && handle.ends_with(b"!") {
            let rest = self.scan_tag_uri(&[])?;
            return Ok(TagText { handle, rest });
        }
        let rest = self.scan_tag_uri(&handle)?;
        Ok(if rest.is_empty() {
            TagText { handle: Vec::new(), rest: vec![b'!'] }
        } else {
            TagText { handle: vec![b'!'], rest }
        })
    }

    fn scan_tag_handle(&mut self, directive: bool) -> Scan<Vec<u8>> {
        self.need(1)?;
        if self.byte(0) != b'!' {
            return Err(self.fault("did not find expected '!'"));
        }
        self.at += 1;
        self.need(1)?;
        let word = self.scan_words()?;
        let mut handle = vec![b'!'];
        handle.extend_from_slice(self.span_text(word).as_bytes());
        if self.byte(0) == b'!' {
            self.at += 1;
            handle.push(b'!');
        } else if directive && !word.is_empty() {
            return Err(self.fault("did not find expected '!'"));
        }
        Ok(handle)
    }

    /// A tag's URI. `head` was read already, with a `!` before it that does not belong to it.
    fn scan_tag_uri(&mut self, head: &[u8]) -> Scan<Vec<u8>> {
        let mut uri = head.get(1..).unwrap_or_default().to_vec();
        let mut found = !head.is_empty();
        self.need(1)?;
        loop {
            match self.byte(0) {
                b'%' => self.scan_uri_escape(&mut uri)?,
                byte if self.is_word() || b";/?:@&=+$,.!~*'()[]".contains(&byte) => {
                    uri.push(byte);
                    self.at += 1;
                }
                _ => break,
            }
            self.need(1)?;
            found = true;
        }
        if found { Ok(uri) } else { Err(self.fault("did not find expected tag URI")) }
    }

    /// One character as `%` escapes, one per octet of its UTF-8.
    fn scan_uri_escape(&mut self, uri: &mut Vec<u8>) -> Scan<()> {
        let mut octet = self.scan_uri_octet()?;
        uri.push(octet);
        let followers = match octet {
            0x00..=0x7f => 0,
            0xc0..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf7 => 3,
            _ => return Err(self.fault("found an incorrect leading UTF-8 octet")),
        };
        for _ in 0..followers {
            octet = self.scan_uri_octet()?;
            if octet & 0xc0 != 0x80 {
                return Err(self.fault("found an incorrect trailing UTF-8 octet"));
            }
            uri.push(octet);
        }
        Ok(())
    }

    fn scan_uri_octet(&mut self) -> Scan<u8> {
        self.need(3)?;
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
        match (self.byte(0), digit(self.byte(1)), digit(self.byte(2))) {
            (b'%', Some(high), Some(low)) => {
                self.at += 3;
                Ok((high << 4) | low)
            }
            _ => Err(self.fault("did not find URI escaped octet")),
        }
    }

    fn scan_words(&mut self) -> Scan<Span> {
        let start = self.at;
        while self.is_word() {
            self.at += 1;
            self.need(1)?;
        }
        Ok(Span::source(start, self.at))
    }

    fn keep_tag(&mut self, tag: TagText) -> Payload {
        let index = u32::try_from(self.tags.len()).unwrap_or(u32::MAX);
        self.tags.push(tag);
        Payload::Tag(index)
    }
}
