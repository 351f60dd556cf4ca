//! Simple keys, indentation and flow levels.

use super::{MAX_DEPTH, Scan, Scanner};
use crate::yaml::{
    error::{Fault, ParseError, Position},
    token::{Mark, Token, TokenKind},
};

/// How many characters may lie between the start of a simple key and its `:`.
const MAX_KEY: u32 = 1024;

/// Where a key without `?` may have started, one per flow level.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SimpleKey {
    possible: bool,
    /// Whether anything but a key would break the indentation here.
    required: bool,
    /// Whether the queue still waits for it. go-yaml forgets this for a key that is an empty `{}` or `[]`.
    awaited: bool,
    /// The number of its first token, counted over the whole text.
    token: usize,
    mark: Mark,
}

impl Scanner<'_> {
    /// Whether the token at the head of the queue could still turn out to start a key.
    pub(super) fn head_may_be_key(&mut self) -> Scan<bool> {
        let level = self.queue.front().map_or(0, |head| head.key_level);
        let Some(index) = (level as usize).checked_sub(1) else { return Ok(false) };
        match self.keys.get(index) {
            Some(key) if key.awaited && key.token == self.taken => self.key_is_valid(index),
            _ => Ok(false),
        }
    }

    /// Notes that a key may start here.
    pub(super) fn save_key(&mut self) -> Scan<()> {
        if !self.key_allowed {
            return Ok(());
        }
        let mark = self.mark();
        let required = self.flow_level == 0 && self.indent == i64::from(mark.column);
        self.remove_key()?;
        let token = self.taken + self.queue.len();
        if let Some(key) = self.keys.last_mut() {
            *key = SimpleKey { possible: true, required, awaited: true, token, mark };
        }
        self.next_key_level = u32::try_from(self.keys.len()).unwrap_or(0);
        Ok(())
    }

    /// Forgets the key that may have started on this flow level.
    pub(super) fn remove_key(&mut self) -> Scan<()> {
        let Some(key) = self.keys.last_mut() else { return Ok(()) };
        if key.possible && key.required {
            return Err(missing_colon(key.mark));
        }
        key.possible = false;
        key.awaited = false;
        Ok(())
    }

    pub(super) fn enter_flow(&mut self) -> Scan<()> {
        // Takes the number of the bracket, which may itself be a key of the level around it.
        let token = self.taken + self.queue.len();
        self.keys.push(SimpleKey { token, ..SimpleKey::default() });
        self.flow_level += 1;
        if self.flow_level > MAX_DEPTH {
            return Err(self.fault("exceeded max depth of 10000"));
        }
        Ok(())
    }

    pub(super) fn leave_flow(&mut self) {
        if self.flow_level == 0 {
            return;
        }
        self.flow_level -= 1;
        let Some(inner) = self.keys.pop() else { return };
        // go-yaml finds awaited keys by token number, so a level that never had a key of its own takes the
        // bracket's away: `{}: {}` is the document `{}`.
        if let Some(outer) = self.keys.last_mut()
            && outer.token == inner.token
        {
            outer.awaited = false;
        }
    }

    /// Opens a block collection at a column that lies deeper than the current indent. `before` is the number of the
    /// token that the opening goes before.
    pub(super) fn roll(&mut self, mark: Mark, before: Option<usize>, kind: TokenKind) -> Scan<()> {
        let column = i64::from(mark.column);
        if self.flow_level > 0 || self.indent >= column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column;
        if self.indents.len() > MAX_DEPTH {
            return Err(self.fault("exceeded max depth of 10000"));
        }
        self.insert(before, Token::new(kind, mark));
        Ok(())
    }

    /// Closes the block collections that lie deeper than `column`.
    pub(super) fn unroll(&mut self, column: i64) {
        if self.flow_level > 0 {
            return;
        }
        while self.indent > column {
            self.push_here(TokenKind::BlockEnd);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    pub(super) fn fetch_key(&mut self) -> Scan<()> {
        if self.flow_level == 0 {
            if !self.key_allowed {
                return Err(self.fault("mapping keys are not allowed in this context"));
            }
            let mark = self.mark();
            self.roll(mark, None, TokenKind::BlockMappingStart)?;
        }
        self.remove_key()?;
        self.key_allowed = self.flow_level == 0;
        self.push_here(TokenKind::Key);
        self.at += 1;
        Ok(())
    }

    pub(super) fn fetch_value(&mut self) -> Scan<()> {
        let innermost = self.keys.len().saturating_sub(1);
        if self.key_is_valid(innermost)? {
            let SimpleKey { token, mark, .. } = self.keys.get(innermost).copied().unwrap_or_default();
            self.insert(Some(token), Token::new(TokenKind::Key, mark));
            self.roll(mark, Some(token), TokenKind::BlockMappingStart)?;
            if let Some(key) = self.keys.last_mut() {
                key.possible = false;
                key.awaited = false;
            }
            self.key_allowed = false;
        } else {
            if self.flow_level == 0 {
                if !self.key_allowed {
                    return Err(self.fault("mapping values are not allowed in this context"));
                }
                let mark = self.mark();
                self.roll(mark, None, TokenKind::BlockMappingStart)?;
            }
            self.key_allowed = self.flow_level == 0;
        }
        self.push_here(TokenKind::Value);
        self.at += 1;
        Ok(())
    }

    fn key_is_valid(&mut self, index: usize) -> Scan<bool> {
        let Some(key) = self.keys.get(index).copied().filter(|key| key.possible) else { return Ok(false) };
        // On one line the distance in characters is the distance in columns.
        if key.mark.line == self.line && self.column() <= key.mark.column.saturating_add(MAX_KEY) {
            return Ok(true);
        }
        if key.required {
            return Err(missing_colon(key.mark));
        }
        if let Some(key) = self.keys.get_mut(index) {
            key.possible = false;
        }
        Ok(false)
    }

    /// Puts a token before the one of that number, or at the end, where it also goes if that one has left the queue.
    fn insert(&mut self, before: Option<usize>, token: Token) {
        match before.and_then(|number| number.checked_sub(self.taken)) {
            Some(index) if index <= self.queue.len() => self.queue.insert(index, token),
            _ => self.queue.push_back(token),
        }
    }
}

fn missing_colon(mark: Mark) -> ParseError {
    ParseError::new(Fault::Syntax("could not find expected ':'"), Position::from(mark))
}
