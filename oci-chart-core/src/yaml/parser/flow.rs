//! Flow collections.

use super::{Event, Parser, State, behind, empty, fault};
use crate::yaml::{
    scanner::Scan,
    token::{Mark, TokenKind},
};

impl Parser<'_> {
    pub(super) fn flow_sequence(&mut self, first: bool) -> Scan<(Event, Mark)> {
        let mut token = self.scanner.peek()?;
        if token.kind != TokenKind::FlowSequenceEnd && !first {
            if token.kind != TokenKind::FlowEntry {
                return Err(fault("did not find expected ',' or ']'", token.mark));
            }
            token = self.advance()?;
        }
        match token.kind {
            TokenKind::FlowSequenceEnd => {
                self.pop_state();
                self.scanner.take();
                Ok((Event::SequenceEnd, token.mark))
            }
            TokenKind::Key => {
                self.state = State::FlowPairKey;
                self.scanner.take();
                Ok((Event::MappingStart(None), token.mark))
            }
            _ => {
                self.states.push(State::FlowSequence);
                self.node(false, false)
            }
        }
    }

    /// The key of a pair that is an item of a sequence.
    pub(super) fn flow_pair_key(&mut self) -> Scan<(Event, Mark)> {
        let token = self.scanner.peek()?;
        if matches!(token.kind, TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowSequenceEnd) {
            // go-yaml takes the token along, so `[? ]` never finds its end.
            self.scanner.take();
            self.state = State::FlowPairValue;
            return Ok(empty(behind(token.mark)));
        }
        self.states.push(State::FlowPairValue);
        self.node(false, false)
    }

    pub(super) fn flow_pair_value(&mut self) -> Scan<(Event, Mark)> {
        let mut token = self.scanner.peek()?;
        if token.kind == TokenKind::Value {
            token = self.advance()?;
            if !matches!(token.kind, TokenKind::FlowEntry | TokenKind::FlowSequenceEnd) {
                self.states.push(State::FlowPairEnd);
                return self.node(false, false);
            }
        }
        self.state = State::FlowPairEnd;
        Ok(empty(token.mark))
    }

    pub(super) fn flow_pair_end(&mut self) -> Scan<(Event, Mark)> {
        let token = self.scanner.peek()?;
        self.state = State::FlowSequence;
        Ok((Event::MappingEnd, token.mark))
    }

    pub(super) fn flow_mapping_key(&mut self, first: bool) -> Scan<(Event, Mark)> {
        let mut token = self.scanner.peek()?;
        if token.kind != TokenKind::FlowMappingEnd && !first {
            if token.kind != TokenKind::FlowEntry {
                return Err(fault("did not find expected ',' or '}'", token.mark));
            }
            token = self.advance()?;
        }
        match token.kind {
            TokenKind::FlowMappingEnd => {
                self.pop_state();
                self.scanner.take();
                Ok((Event::MappingEnd, token.mark))
            }
            TokenKind::Key => {
                let token = self.advance()?;
                if matches!(token.kind, TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowMappingEnd) {
                    self.state = State::FlowMappingValue;
                    return Ok(empty(token.mark));
                }
                self.states.push(State::FlowMappingValue);
                self.node(false, false)
            }
            _ => {
                self.states.push(State::FlowMappingEmptyValue);
                self.node(false, false)
            }
        }
    }

    pub(super) fn flow_mapping_value(&mut self) -> Scan<(Event, Mark)> {
        let mut token = self.scanner.peek()?;
        if token.kind == TokenKind::Value {
            token = self.advance()?;
            if !matches!(token.kind, TokenKind::FlowEntry | TokenKind::FlowMappingEnd) {
                self.states.push(State::FlowMappingKey);
                return self.node(false, false);
            }
        }
        self.state = State::FlowMappingKey;
        Ok(empty(token.mark))
    }

    /// The value of a key that stands alone, as in `{a, b}`.
    pub(super) fn flow_mapping_empty_value(&mut self) -> Scan<(Event, Mark)> {
        let token = self.scanner.peek()?;
        self.state = State::FlowMappingKey;
        Ok(empty(token.mark))
    }
}
