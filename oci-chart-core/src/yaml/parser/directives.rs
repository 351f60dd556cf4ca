//! `%YAML` and `%TAG`, and the tags they give meaning to.

use std::collections::HashMap;

use super::{Parser, fault};
use crate::yaml::{
    scanner::Scan,
    tags::Tag,
    token::{Payload, TokenKind},
};

/// The tag handles of the current document, by handle: an index into the scanner's tag texts. In a map, because a
/// text may declare very many of them.
#[derive(Debug, Default)]
pub(super) struct Directives {
    handles: HashMap<Vec<u8>, u32>,
}

impl Parser<'_> {
    pub(super) fn read_directives(&mut self) -> Scan<()> {
        let mut version_seen = false;
        let mut token = self.scanner.peek()?;
        loop {
            match (token.kind, token.payload) {
                (TokenKind::VersionDirective, Payload::Version(major, minor)) => {
                    if version_seen {
                        return Err(fault("found duplicate %YAML directive", token.mark));
                    }
                    if (major, minor) != (1, 1) {
                        return Err(fault("found incompatible YAML document", token.mark));
                    }
                    version_seen = true;
                }
                (TokenKind::TagDirective, Payload::Tag(index)) => {
                    let handle =
                        self.scanner.tag_text(index).map(|text| text.handle.clone()).unwrap_or_default();
                    if self.directives.handles.insert(handle, index).is_some() {
                        return Err(fault("found duplicate %TAG directive", token.mark));
                    }
                }
                _ => return Ok(()),
            }
            token = self.advance()?;
        }
    }

    /// What the tag with this text stands for; `None` if its handle was never declared.
    pub(super) fn resolve_tag(&self, index: u32) -> Option<Tag> {
        let text = self.scanner.tag_text(index)?;
        let prefix: &[u8] = match (self.directives.handles.get(&text.handle), text.handle.as_slice()) {
            (Some(declared), _) => &self.scanner.tag_text(*declared)?.rest,
            (None, b"") => b"",
            (None, b"!") => b"!",
            (None, b"!!") => Tag::COMMON_PREFIX,
            (None, _) => return None,
        };
        Some(Tag::from_parts(prefix, &text.rest))
    }
}
