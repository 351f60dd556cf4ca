//! Block collections.

use super::{Event, Parser, State, behind, empty, fault};
use crate::yaml::{
    scanner::Scan,
    token::{Mark, TokenKind},
};

impl Parser<'_> {
    pub(super) fn block_sequence(&mut self) -> Scan<(Event, Mark)> {
        let entry = self.scanner.peek()?;
        match entry.kind {
            TokenKind::BlockEntry => {
                let token = self.advance()?;
                if matches!(token.kind, TokenKind::BlockEntry | TokenKind::BlockEnd) {
                    self.state = State::BlockSequence;
                    return Ok(empty(behind(entry.mark)));
                }
                self.states.push(State::BlockSequence);
                self.node(true, false)
            }
            TokenKind::BlockEnd => {
                self.pop_state();
                self.scanner.take();
                Ok((Event::SequenceEnd, entry.mark))
            }
            _ => Err(fault("did not find expected '-' indicator", entry.mark)),
        }
    }

    /// A sequence at the column of the mapping it belongs to.
    pub(super) fn indentless_sequence(&mut self) -> Scan<(Event, Mark)> {
        let entry = self.scanner.peek()?;
        if entry.kind != TokenKind::BlockEntry {
            self.pop_state();
            return Ok((Event::SequenceEnd, entry.mark));
        }
        let token = self.advance()?;
        if matches!(
            token.kind,
            TokenKind::BlockEntry | TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd
        ) {
            self.state = State::IndentlessSequence;
            return Ok(empty(behind(entry.mark)));
        }
        self.states.push(State::IndentlessSequence);
        self.node(true, false)
    }

    pub(super) fn block_mapping_key(&mut self) -> Scan<(Event, Mark)> {
        let key = self.scanner.peek()?;
        match key.kind {
            TokenKind::Key => self.block_mapping_part(key.mark, State::BlockMappingValue),
            TokenKind::BlockEnd => {
                self.pop_state();
                self.scanner.take();
                Ok((Event::MappingEnd, key.mark))
            }
            _ => Err(fault("did not find expected key", key.mark)),
        }
    }

    pub(super) fn block_mapping_value(&mut self) -> Scan<(Event, Mark)> {
        let value = self.scanner.peek()?;
        if value.kind == TokenKind::Value {
            return self.block_mapping_part(value.mark, State::BlockMappingKey);
        }
        self.state = State::BlockMappingKey;
        Ok(empty(value.mark))
    }

    /// What stands behind `?` or `:`, if anything.
    fn block_mapping_part(&mut self, indicator: Mark, next: State) -> Scan<(Event, Mark)> {
        let token = self.advance()?;
        if matches!(token.kind, TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd) {
            self.state = next;
            return Ok(empty(behind(indicator)));
        }
        self.states.push(next);
        self.node(true, true)
    }
}
